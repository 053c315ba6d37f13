// SPDX-License-Identifier: Apache-2.0
#include "record/reader.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <doctest/doctest.h>

#include "record/bytes.hpp"
#include "record/fold.hpp"
#include "unit/record/recording.hpp"

namespace powertrace {
namespace {

using record::Reader;
using test::make_recording;
using test::Recording;
using test::TempFile;

struct Read {
  std::vector<Window> windows;
  record::Damage damage;
  std::vector<std::string> warnings;
  bool opened = false;
  std::string error;
};

Read read_all(const std::string& bytes) {
  const TempFile file;
  file.write(bytes);
  Read result;
  auto reader = Reader::open(file.path);
  if (!reader) {
    result.error = reader.error().message;
    return result;
  }
  result.opened = true;
  for (;;) {
    const auto more = (*reader)->next();
    REQUIRE(more.has_value());
    if (!*more) {
      break;
    }
    result.windows.push_back((*reader)->window());
  }
  result.damage = (*reader)->damage();
  result.warnings = (*reader)->warnings();
  return result;
}

auto key(const TaskUse& use) {
  return std::tie(use.task, use.tgid, use.socket, use.cgroup_id, use.comm, use.kernel_thread,
                  use.switches, use.run_ns, use.counted_ns, use.cycles, use.instructions);
}

bool same(const Window& a, const Window& b) {
  const auto zones = [](const ZoneDelta& x, const ZoneDelta& y) {
    return std::tie(x.status, x.sys_errno, x.energy_nj, x.duration_ns) ==
           std::tie(y.status, y.sys_errno, y.energy_nj, y.duration_ns);
  };
  const auto sockets = [](const SocketWindow& x, const SocketWindow& y) {
    return x.capacity_ns == y.capacity_ns && x.lost_ns == y.lost_ns;
  };
  const auto less = [](const TaskUse& x, const TaskUse& y) { return key(x) < key(y); };
  std::vector<TaskUse> left = a.tasks;
  std::vector<TaskUse> right = b.tasks;
  std::sort(left.begin(), left.end(), less);
  std::sort(right.begin(), right.end(), less);
  return a.number == b.number && a.start_ns == b.start_ns && a.end_ns == b.end_ns &&
         std::equal(a.zones.begin(), a.zones.end(), b.zones.begin(), b.zones.end(), zones) &&
         std::equal(a.sockets.begin(), a.sockets.end(), b.sockets.begin(), b.sockets.end(),
                    sockets) &&
         std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const auto& x, const auto& y) { return key(x) == key(y); });
}

// What the window says, whoever it was: lost definitions cost names, not time.
std::uint64_t all_run_ns(const Window& window) {
  std::uint64_t sum = 0;
  for (const TaskUse& use : window.tasks) {
    sum += use.run_ns;
  }
  for (const SocketWindow& socket : window.sockets) {
    sum += socket.lost_ns;
  }
  return sum;
}

// Every window that was read is one that was written, and they are in order.
void check_honest(const Read& read, const Recording& recording) {
  std::size_t at = 0;
  for (const Window& window : read.windows) {
    while (at < recording.windows.size() && recording.windows[at].number < window.number) {
      ++at;
    }
    REQUIRE(at < recording.windows.size());
    const Window& written = recording.windows[at];
    REQUIRE(window.start_ns == written.start_ns);
    REQUIRE(window.zones[0].energy_nj == written.zones[0].energy_nj);
    REQUIRE(all_run_ns(window) == all_run_ns(written));
    if (read.damage.chunks_damaged == 0) {
      REQUIRE(same(window, written));
    }
    ++at;
  }
}

}  // namespace

TEST_CASE("recording: what was written is read") {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const Recording recording = make_recording(seed, 57);
    const Read read = read_all(recording.bytes);
    REQUIRE(read.opened);
    CHECK(read.warnings.empty());
    REQUIRE(read.windows.size() == recording.windows.size());
    for (std::size_t i = 0; i < read.windows.size(); ++i) {
      CHECK(same(read.windows[i], recording.windows[i]));
    }
  }
}

TEST_CASE("recording: what was recorded about is read") {
  const TempFile file;
  file.write(make_recording(1, 3).bytes);
  const auto reader = Reader::open(file.path);
  REQUIRE(reader.has_value());
  const record::Meta& meta = (*reader)->meta();
  CHECK(meta.host == "here");
  CHECK(meta.command == std::vector<std::string>{"make", "-j"});
  CHECK(meta.self_pid == 7);
  CHECK(meta.sockets == 2);
  CHECK(meta.source.name == "powercap");
  CHECK(meta.source.measured);
  CHECK(meta.model == Model::kCycles);
  REQUIRE(meta.zones.size() == 2);
  CHECK(meta.zones[1].name == "package-1");
  CHECK(meta.zones[1].in_total);
  CHECK(meta.idle_mw[0] == 5000);
  CHECK_FALSE(meta.idle_mw[1].has_value());
}

TEST_CASE("recording: cut anywhere, it loses its end and says so") {
  const Recording recording = make_recording(4, 60);
  const std::size_t size = recording.bytes.size();
  std::size_t most = 0;
  for (std::size_t part = 0; part < 1000; ++part) {
    const std::size_t cut = size * part / 1000;
    CAPTURE(cut);
    const Read read = read_all(recording.bytes.substr(0, cut));
    check_honest(read, recording);
    CHECK(read.windows.size() >= most);
    most = std::max(most, read.windows.size());
    if (read.opened) {
      CHECK(read.damage.tasks_unknown == 0);
      CHECK(read.damage.cut_off);
      CHECK_FALSE(read.warnings.empty());
    } else {
      CHECK_FALSE(read.error.empty());
    }
  }
  CHECK(most >= 50);  // what was flushed is not lost
}

TEST_CASE("recording: flipped bits are found, skipped and said") {
  const Recording recording = make_recording(5, 60);
  std::mt19937_64 random(6);
  for (int round = 0; round < 1500; ++round) {
    std::string bytes = recording.bytes;
    for (std::uint64_t flips = 1 + random() % 3; flips > 0; --flips) {
      const std::size_t at = random() % bytes.size();
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << (random() % 8)));
    }
    const Read read = read_all(bytes);
    check_honest(read, recording);
    const bool whole = read.windows.size() == recording.windows.size() &&
                       read.damage.tasks_unknown == 0 && read.damage.chunks_damaged == 0;
    if (read.opened && !whole) {
      CHECK_FALSE(read.warnings.empty());
    }
  }
}

TEST_CASE("recording: a lost table leaves energy unattributed, not misnamed") {
  const Recording recording = make_recording(7, 40);
  // The second chunk of tasks or the first: whichever, its header type is 5.
  std::string bytes = recording.bytes;
  std::size_t at = record::kFileHeaderBytes;
  while (at + record::kChunkHeaderBytes < bytes.size()) {
    const auto header = record::decode_header(std::string_view(bytes).substr(at));
    REQUIRE(header.has_value());
    if (header->type == static_cast<std::uint32_t>(record::ChunkType::kTasks)) {
      bytes[at + record::kChunkHeaderBytes] ^= 1;
      break;
    }
    at += record::kChunkHeaderBytes + header->stored;
  }
  const TempFile file;
  file.write(bytes);
  const auto reader = Reader::open(file.path);
  REQUIRE(reader.has_value());
  record::Fold fold(**reader, {});
  std::int64_t energy_nj = 0;
  while (*(*reader)->next()) {
    fold.add();
    for (const ZoneDelta& zone : (*reader)->window().zones) {
      energy_nj += usable_energy_nj(zone);
    }
  }
  CHECK((*reader)->damage().tasks_unknown > 0);
  const SnapshotPtr snapshot = fold.take_snapshot();
  std::int64_t sum_nj = 0;
  for (const SnapshotTask& task : snapshot->tasks) {
    sum_nj += task.use.energy_nj[0] + task.use.energy_nj[1];
  }
  std::int64_t unattributed_nj = 0;
  for (const LedgerZone& zone : snapshot->zone_use) {
    sum_nj += zone.idle_nj + zone.unattributed_nj;
    unattributed_nj += zone.unattributed_nj;
  }
  CHECK(sum_nj == energy_nj);
  CHECK(unattributed_nj > 0);
}

TEST_CASE("recording: chunks of later versions are skipped, greater majors refused") {
  const Recording recording = make_recording(8, 20);
  record::ChunkCodec codec;
  record::ChunkHeader header;
  header.type = 4242;
  header.rows = 3;
  const auto first =
      record::decode_header(std::string_view(recording.bytes).substr(record::kFileHeaderBytes));
  const std::size_t behind_meta =
      record::kFileHeaderBytes + record::kChunkHeaderBytes + first->stored;
  std::string bytes = recording.bytes;
  bytes.insert(behind_meta, codec.encode(header, "whatever a later version says"));
  const Read read = read_all(bytes);
  CHECK(read.windows.size() == 20);
  CHECK(read.damage.chunks_unknown == 1);
  CHECK(read.warnings.empty());

  bytes = recording.bytes;
  bytes[8] = 2;
  CHECK(read_all(bytes).error.find("use a newer one") != std::string::npos);
  bytes = recording.bytes;
  std::reverse(bytes.begin() + 12, bytes.begin() + 16);
  CHECK(read_all(bytes).error.find("byte order") != std::string::npos);
  bytes = recording.bytes;
  bytes[0] = 'x';
  CHECK(read_all(bytes).error.find("is not a recording") != std::string::npos);
  CHECK(read_all("").error.find("is empty") != std::string::npos);
}

TEST_CASE("recording: a length of 100 GB is not believed") {
  const Recording recording = make_recording(9, 20);
  std::string bytes = recording.bytes;
  const auto first =
      record::decode_header(std::string_view(bytes).substr(record::kFileHeaderBytes));
  const std::size_t at = record::kFileHeaderBytes + record::kChunkHeaderBytes + first->stored;
  record::ByteWriter length;
  length.u32(0xFFFFFFFF);
  bytes.replace(at + 12, 4, length.bytes());
  const Read read = read_all(bytes);
  CHECK(read.opened);
  CHECK(read.damage.chunks_damaged > 0);
  // The same with a CRC that is right.
  bytes = recording.bytes.substr(0, at);
  record::ChunkHeader header;
  header.type = 6;
  header.stored = record::kMaxChunkBytes;
  header.raw = record::kMaxChunkBytes;
  CHECK(read_all(bytes + record::encode_header(header) + "tail").damage.cut_off);
}

TEST_CASE("recording: names follow exec, exits and epochs") {
  const TempFile file;
  file.write(make_recording(10, 60).bytes);
  const auto reader = Reader::open(file.path);
  record::Fold fold(**reader, {});
  while (*(*reader)->next()) {
    fold.add();
  }
  const SnapshotPtr snapshot = fold.take_snapshot();
  std::map<std::uint32_t, const SnapshotTask*> by_pid;
  for (const SnapshotTask& task : snapshot->tasks) {
    by_pid[task.use.tgid] = &task;
  }
  CHECK(by_pid.at(104)->process->comm == "renamed");
  CHECK(by_pid.at(105)->terminated);
  CHECK_FALSE(by_pid.at(106)->terminated);
  CHECK(by_pid.at(106)->process->exe == "/usr/bin/task-106");
  CHECK(by_pid.at(106)->cgroup->path == "/slice/1");
  CHECK(by_pid.at(106)->cgroup->container->pod_uid == "pod-1");
  CHECK(by_pid.at(109)->outside);
  CHECK_FALSE(by_pid.at(108)->outside);
}

}  // namespace powertrace
