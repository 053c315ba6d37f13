// SPDX-License-Identifier: Apache-2.0
//
// Recordings in memory and on disk for the tests: random windows of named tasks.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "record/reader.hpp"
#include "record/writer.hpp"

namespace powertrace::test {

class MemorySink : public record::Sink {
 public:
  Status write(std::string block) override {
    bytes += block;
    return {};
  }
  Status finish() override { return {}; }
  std::string bytes;
};

// A file that goes away with its owner.
class TempFile {
 public:
  TempFile() {
    std::string name = "/tmp/powertrace-test-XXXXXX";
    ::close(::mkstemp(name.data()));
    path = name;
  }
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
  ~TempFile() { ::unlink(path.c_str()); }
  void write(std::string_view bytes) const {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  std::string path;
};

inline record::Meta make_meta() {
  record::Meta meta;
  meta.program = "powertrace test";
  meta.host = "here";
  meta.kernel = "Linux";
  meta.command = {"make", "-j"};
  meta.self_pid = 7;
  meta.cpus = 4;
  meta.sockets = 2;
  meta.start_ns = 5'000'000'000;
  meta.realtime_ns = 1'767'323'045'000'000'000;
  meta.window_ns = 100'000'000;
  meta.flush_ns = 1'000'000'000;
  meta.source = {"powercap", true, 0};
  meta.counters_on = true;
  meta.instructions_on = true;
  meta.model = Model::kCycles;
  for (int socket = 0; socket < 2; ++socket) {
    Zone zone;
    zone.name = fmt::format("package-{}", socket);
    zone.socket = socket;
    zone.in_total = true;
    zone.measured = true;
    meta.zones.push_back(zone);
    meta.idle_mw.emplace_back(socket == 0 ? std::optional<std::int64_t>(5000) : std::nullopt);
  }
  return meta;
}

// Processes 100... with one thread each; process 7 is powertrace. Names change at `exec_at`.
class FakeNames {
 public:
  record::Names names() {
    return {[this](const TaskUse& use) { return process(use); },
            [this](const TaskUse& use) { return cgroup(use.cgroup_id); },
            [this](const ProcessIdentity& process) { return process.task.pid == ended_pid; },
            [](const TaskUse& use) { return use.tgid % 10 != 9; }};
  }
  void rename(std::uint32_t pid) {
    auto next = std::make_shared<ProcessIdentity>(*processes_.at(pid));
    next->comm = "renamed";
    processes_[pid] = next;
  }
  std::uint32_t ended_pid = 0;

 private:
  std::shared_ptr<const ProcessIdentity> process(const TaskUse& use) {
    auto& known = processes_[use.tgid];
    if (!known) {
      auto made = std::make_shared<ProcessIdentity>();
      made->task = use.task;
      made->comm = comm_view(use.comm);
      made->exe = "/usr/bin/" + made->comm;
      made->cmdline = made->exe + " --option \"x, y\"";
      known = made;
    }
    return known;
  }
  std::shared_ptr<const CgroupIdentity> cgroup(std::uint64_t id) {
    auto& known = cgroups_[id];
    if (!known) {
      auto made = std::make_shared<CgroupIdentity>();
      made->id = id;
      made->path = fmt::format("/slice/{}", id);
      if (id % 2 == 1) {
        made->container = ContainerIdentity{std::string(64, 'a'), "podman", "pod-1"};
      }
      known = made;
    }
    return known;
  }
  std::map<std::uint32_t, std::shared_ptr<const ProcessIdentity>> processes_;
  std::map<std::uint64_t, std::shared_ptr<const CgroupIdentity>> cgroups_;
};

inline Window random_window(std::mt19937_64& random, const Window& before) {
  Window window;
  window.number = before.number + 1;
  window.start_ns = before.end_ns;
  window.end_ns = window.start_ns + 100'000'000 + random() % 1'000'000;
  const std::uint64_t length = window.end_ns - window.start_ns;
  window.sockets = {{2 * length, 0}, {2 * length, random() % 5 == 0 ? random() % 1000 : 0}};
  for (int zone = 0; zone < 2; ++zone) {
    ZoneDelta delta;
    delta.energy_nj = static_cast<std::int64_t>(1'000'000'000 + random() % 900'000'000);
    delta.duration_ns = length + random() % 1000;
    if (random() % 20 == 0) {
      delta = {ZoneStatus::kUnreadable, 5, 0, 0};
    }
    window.zones.push_back(delta);
  }
  for (std::uint32_t pid = 100; pid < 140; ++pid) {
    if (random() % 3 == 0) {
      continue;
    }
    TaskUse use;
    use.tgid = pid == 100 ? 7 : pid;
    use.task = {use.tgid, use.tgid * 1000ULL};
    use.socket = static_cast<std::int32_t>(pid % 2);
    use.cgroup_id = pid % 5;
    const std::string comm = fmt::format("task-{}", use.tgid);
    std::copy(comm.begin(), comm.end(), use.comm.begin());
    use.kernel_thread = pid == 101;
    use.switches = static_cast<std::uint32_t>(random() % 50);
    use.run_ns = random() % 20'000'000;
    use.counted_ns = random() % 2 == 0 ? use.run_ns / 2 : 0;
    use.cycles = use.counted_ns * 3;
    use.instructions = use.counted_ns * 5;
    window.tasks.push_back(use);
  }
  return window;
}

struct Recording {
  std::string bytes;
  std::vector<Window> windows;
};

inline Recording make_recording(std::uint64_t seed, std::size_t windows, bool finish = true) {
  std::mt19937_64 random(seed);
  FakeNames names;
  MemorySink sink;
  record::Writer writer(make_meta(), names.names(), sink);
  Recording recording;
  Window window;
  window.end_ns = make_meta().start_ns;
  bool fine = writer.begin().has_value();
  for (std::size_t i = 0; i < windows; ++i) {
    window = random_window(random, window);
    recording.windows.push_back(window);
    fine = writer.add(window).has_value() && writer.flush_if_due().has_value() && fine;
    if (i == windows / 2) {
      names.rename(104);
      names.ended_pid = 105;
    }
  }
  fine = (finish ? writer.finish() : writer.flush()).has_value() && fine;
  recording.bytes = fine ? sink.bytes : "";
  return recording;
}

// Stack samples of the even pids, now and then, in three stacks.
inline void add_samples(std::mt19937_64& random, const Window& window, record::Writer& writer) {
  const std::vector<record::Id> ids = writer.ids();
  record::StackDictionary& stacks = writer.stacks();
  for (std::size_t task = 0; task < ids.size(); ++task) {
    if (window.tasks[task].tgid % 2 == 0 && random() % 3 == 0) {
      const record::Id file = stacks.file({record::FileKind::kKernel, "[kernel]", "", 0});
      const record::Id leaf = stacks.frame(file, 16 + random() % 3, "leaf;with<odd>\"name\"");
      const record::Id root = stacks.frame(file, 64, "main");
      const record::Id frames[] = {leaf, root};
      writer.add(record::Sample{window.end_ns - 5, window.number, ids[task], stacks.stack(frames)});
    }
  }
}

inline Recording make_sampled_recording(std::uint64_t seed,
                                        std::size_t windows,
                                        bool finish = true) {
  std::mt19937_64 random(seed);
  FakeNames names;
  MemorySink sink;
  record::Meta meta = make_meta();
  meta.sample_hz = 99;
  record::Writer writer(meta, names.names(), sink);
  Recording recording;
  Window window;
  window.end_ns = meta.start_ns;
  bool fine = writer.begin().has_value();
  for (std::size_t i = 0; i < windows; ++i) {
    window = random_window(random, window);
    recording.windows.push_back(window);
    fine = writer.add(window).has_value() && fine;
    add_samples(random, window, writer);
    fine = writer.flush_if_due().has_value() && fine;
  }
  fine = (finish ? writer.finish() : writer.flush()).has_value() && fine;
  recording.bytes = fine ? sink.bytes : "";
  return recording;
}

}  // namespace powertrace::test
