// SPDX-License-Identifier: Apache-2.0
#include "record/reader.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "record/bytes.hpp"
#include "record/costs.hpp"
#include "record/meta.hpp"

namespace powertrace::record {
namespace {

// Sums over a whole recording stay below this; a file that claims more lies.
constexpr std::uint64_t kMaxSum = 1ULL << 61U;

constexpr std::size_t kSearchBytes = 64U << 10U;

std::string marker_bytes() {
  ByteWriter out;
  out.u32(kChunkMarker);
  return out.bytes();
}

}  // namespace

Result<std::unique_ptr<Reader>> Reader::open(const std::string& path) {
  PT_ASSIGN(Input input, Input::open(path));
  std::unique_ptr<Reader> reader(new Reader(std::move(input)));
  PT_TRY(reader->read_meta());
  return reader;
}

Status Reader::read_meta() {
  PT_ASSIGN(const std::string_view head, input_.peek(kFileHeaderBytes));
  PT_TRY(check_file_header(head, input_.name()));
  input_.skip(kFileHeaderBytes);
  ChunkHeader header;
  PT_ASSIGN(const bool found, next_chunk(header));
  if (!found && damage_.chunks_damaged == 0) {
    return fail(ErrorCode::kMalformed,
                "{} was cut off before anything was recorded ({} bytes after the file header)",
                input_.name(), damage_.bytes_skipped);
  }
  std::optional<Meta> meta;
  if (found && header.type == static_cast<std::uint32_t>(ChunkType::kMeta)) {
    meta = decode_meta(payload_);
  }
  if (!meta || damage_.chunks_damaged > 0) {
    return fail(
        ErrorCode::kMalformed,
        "{}: the first chunk, which says what was recorded, is damaged; nothing can be read "
        "without it",
        input_.name());
  }
  meta_ = std::move(*meta);
  tables_ = Tables(meta_.sockets);
  return {};
}

Status Reader::find_marker() {
  static const std::string marker = marker_bytes();
  ++damage_.chunks_damaged;
  input_.skip(1);
  ++damage_.bytes_skipped;
  for (;;) {
    PT_ASSIGN(const std::string_view bytes, input_.peek(kSearchBytes));
    const std::size_t at = bytes.find(marker);
    // The marker may begin in the last bytes, unless these are the file's last.
    const std::size_t skipped = at != std::string_view::npos  ? at
                                : bytes.size() < kSearchBytes ? bytes.size()
                                                              : bytes.size() - marker.size() + 1;
    input_.skip(skipped);
    damage_.bytes_skipped += skipped;
    if (at != std::string_view::npos || bytes.size() < kSearchBytes) {
      return {};
    }
  }
}

Result<bool> Reader::next_chunk(ChunkHeader& header) {
  while (!ended_) {
    PT_ASSIGN(const std::string_view head, input_.peek(kChunkHeaderBytes));
    const std::optional<ChunkHeader> decoded = decode_header(head);
    if (head.size() < kChunkHeaderBytes) {
      damage_.bytes_skipped += head.size();
      damage_.cut_off = true;
      return false;
    }
    if (!decoded) {
      PT_TRY(find_marker());
      continue;
    }
    header = *decoded;
    const std::size_t whole = kChunkHeaderBytes + header.stored;
    PT_ASSIGN(const std::string_view bytes, input_.peek(whole));
    if (bytes.size() < whole) {
      damage_.bytes_skipped += bytes.size();
      damage_.cut_off = true;
      return false;
    }
    const std::optional<std::string_view> payload =
        codec_.decode(header, bytes.substr(kChunkHeaderBytes));
    if (payload) {
      payload_ = *payload;
    } else {
      ++damage_.chunks_damaged;
      damage_.bytes_skipped += whole;
    }
    input_.skip(whole);
    if (payload) {
      return true;
    }
  }
  return false;
}

void Reader::take(const ChunkHeader& header) {
  if (header.epoch() != epoch_) {
    epoch_ = header.epoch();
    tables_.begin_epoch();
  }
  const auto type = static_cast<ChunkType>(header.type);
  switch (type) {
    case ChunkType::kStrings:
    case ChunkType::kCgroups:
    case ChunkType::kProcesses:
    case ChunkType::kTasks:
    case ChunkType::kExits:
    case ChunkType::kFiles:
    case ChunkType::kFrames:
    case ChunkType::kStacks:
    case ChunkType::kNames:
      damage_.chunks_damaged += tables_.define(type, payload_) ? 0 : 1;
      return;
    case ChunkType::kSamples:
      damage_.chunks_damaged += read_samples() ? 0 : 1;
      return;
    case ChunkType::kSlices:
      damage_.chunks_damaged += read_slices() ? 0 : 1;
      return;
    case ChunkType::kWindows:
      cursor_ = WindowCursor(payload_, meta_);
      return;
    case ChunkType::kCosts:
      if (const std::optional<SelfCost> costs = decode_costs(payload_)) {
        costs_ = *costs;
      }
      return;
    case ChunkType::kIndex:
      ended_ = true;
      return;
    default:
      ++damage_.chunks_unknown;
      return;
  }
}

bool Reader::read_samples() {
  ByteReader in(payload_);
  Sample sample;
  for (std::size_t count = in.count(); count > 0; --count) {
    sample.time_ns = in.difference_from(sample.time_ns);
    sample.window = in.difference_from(sample.window);
    sample.task = in.number32();
    sample.stack = in.number32();
    if (!in.ok()) {
      return false;
    }
    samples_.push_back(sample);
  }
  return in.ok();
}

bool Reader::read_slices() {
  ByteReader in(payload_);
  Slice slice;
  for (std::size_t count = in.count(); count > 0; --count) {
    slice.start_ns = in.difference_from(slice.start_ns);
    slice.end_ns = slice.start_ns + in.number();
    slice.cpu = in.number32();
    slice.pid = in.number32();
    if (!in.ok()) {
      return false;
    }
    slices_.push_back(slice);
  }
  return in.ok();
}

// Samples come in the order of windows.
void Reader::find_samples() {
  samples_begin_ = samples_end_;
  while (samples_begin_ < samples_.size() && samples_[samples_begin_].window < window_.number) {
    ++samples_begin_;
  }
  samples_end_ = samples_begin_;
  while (samples_end_ < samples_.size() && samples_[samples_end_].window == window_.number) {
    ++samples_end_;
  }
  if (slices_shown_) {
    slices_.clear();
  }
  slices_shown_ = true;
}

// Names the tasks of the window just read. False: the window cannot be true.
bool Reader::fill_window() {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < window_.tasks.size(); ++i) {
    TaskUse use = window_.tasks[i];
    amounts_ = std::min(amounts_ + use.run_ns + use.cycles / 64 + use.instructions / 64, kMaxSum);
    const TaskDef* task = tables_.task(ids_[i]);
    if (task == nullptr) {
      ++damage_.tasks_unknown;
      window_.sockets.front().lost_ns += use.run_ns;
      continue;
    }
    use.task = task->task;
    use.tgid = task->tgid;
    use.socket = task->socket;
    use.cgroup_id = task->cgroup_id;
    use.comm = task->comm;
    use.kernel_thread = task->kernel_thread;
    window_.tasks[kept] = use;
    ids_[kept++] = ids_[i];
  }
  window_.tasks.resize(kept);
  ids_.resize(kept);
  for (const ZoneDelta& zone : window_.zones) {
    energy_nj_ = std::min(energy_nj_ + static_cast<std::uint64_t>(zone.energy_nj), kMaxSum);
  }
  for (const SocketWindow& socket : window_.sockets) {
    amounts_ = std::min(amounts_ + socket.capacity_ns + socket.lost_ns, kMaxSum);
  }
  return energy_nj_ < kMaxSum && amounts_ < kMaxSum;
}

Result<bool> Reader::next() {
  const std::uint64_t last_number = window_.number;
  const std::uint64_t last_end_ns = window_.end_ns;
  for (;;) {
    while (cursor_.next(window_, ids_)) {
      if (!fill_window() ||
          (any_ && (window_.start_ns < last_end_ns || window_.number <= last_number))) {
        ++damage_.windows_missing;
        window_.number = last_number;
        window_.end_ns = last_end_ns;
        continue;
      }
      damage_.windows_missing += any_ ? window_.number - last_number - 1 : 0;
      any_ = true;
      find_samples();
      return true;
    }
    damage_.chunks_damaged += cursor_.ok() ? 0 : 1;
    cursor_ = WindowCursor();
    window_.number = last_number;
    window_.end_ns = last_end_ns;
    if (slices_shown_) {  // the block is through
      samples_.clear();
      samples_begin_ = samples_end_ = 0;
      slices_.clear();
      slices_shown_ = false;
    }
    ChunkHeader header;
    PT_ASSIGN(const bool found, next_chunk(header));
    if (!found) {
      return false;
    }
    take(header);
  }
}

std::vector<std::string> Reader::warnings() const {
  std::vector<std::string> result;
  const std::string& name = input_.name();
  if (damage_.cut_off) {
    result.push_back(
        fmt::format("{} has no end: recording was killed, the disk was full or the file was cut. "
                    "Up to {:.1f} s "
                    "at its end are missing; the rest is whole",
                    name, static_cast<double>(meta_.flush_ns) / 1e9));
  }
  if (damage_.chunks_damaged > 0) {
    result.push_back(fmt::format("{}: {} damaged bytes were skipped", name, damage_.bytes_skipped));
  }
  if (damage_.windows_missing > 0) {
    result.push_back(fmt::format(
        "{}: {} windows are missing; their energy is in no figure (nominal length {} ms)", name,
        damage_.windows_missing, meta_.window_ns / 1'000'000));
  }
  if (damage_.tasks_unknown > 0) {
    result.push_back(
        fmt::format("{}: the names of {} entries are lost; their share is in [unattributed]", name,
                    damage_.tasks_unknown));
  }
  return result;
}

}  // namespace powertrace::record
