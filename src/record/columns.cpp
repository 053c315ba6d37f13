// SPDX-License-Identifier: Apache-2.0
#include "record/columns.hpp"

#include <algorithm>
#include <numeric>

namespace powertrace::record {
namespace {

// What no window reaches: sums over a recording stay far from the limits of 64 bits.
constexpr std::uint64_t kMaxNs = 1ULL << 52U;
constexpr std::int64_t kMaxEnergyNj = 1LL << 50;
constexpr std::uint64_t kMaxCount = 1ULL << 56U;

std::uint64_t length(const Window& window) {
  return window.end_ns - window.start_ns;
}

}  // namespace

std::size_t WindowWriter::size() const {
  return std::accumulate(
      columns_.begin(), columns_.end(), std::size_t{0},
      [](std::size_t sum, const ByteWriter& column) { return sum + column.size(); });
}

void WindowWriter::add(const Window& window, std::span<const Id> ids) {
  if (windows_++ == 0) {
    before_ = {};
    before_.sockets.resize(window.sockets.size());
    before_.zones.resize(window.zones.size());
    sockets_ = window.sockets.size();
  }
  columns_[kNumbers].difference(window.number, before_.number);
  columns_[kStarts].difference(window.start_ns, before_.end_ns);
  columns_[kLengths].difference(length(window), length(before_));
  columns_[kTaskCounts].number(window.tasks.size());
  for (std::size_t i = 0; i < sockets_; ++i) {
    columns_[kCapacities].difference(window.sockets[i].capacity_ns, before_.sockets[i].capacity_ns);
    columns_[kLost].number(window.sockets[i].lost_ns);
  }
  for (std::size_t i = 0; i < window.zones.size(); ++i) {
    const ZoneDelta& zone = window.zones[i];
    columns_[kStatuses].number(static_cast<std::uint64_t>(zone.status));
    if (zone.status != ZoneStatus::kOk) {
      columns_[kErrnos].number(static_cast<std::uint32_t>(zone.sys_errno));
    }
    columns_[kEnergies].difference(zone.energy_nj - before_.zones[i].energy_nj);
    columns_[kDurations].difference(zone.duration_ns, length(window));
  }
  order_.resize(ids.size());
  std::iota(order_.begin(), order_.end(), 0);
  std::sort(order_.begin(), order_.end(),
            [&](std::size_t a, std::size_t b) { return ids[a] < ids[b]; });
  Id last = 0;
  for (const std::size_t i : order_) {
    const TaskUse& task = window.tasks[i];
    columns_[kTaskIds].number(ids[i] - last);
    last = ids[i];
    columns_[kRunTimes].number(task.run_ns);
    columns_[kSwitches].number(task.switches);
    columns_[kCountedTimes].number(task.counted_ns);
    if (task.counted_ns != 0) {
      columns_[kCycles].number(task.cycles);
      columns_[kInstructions].number(task.instructions);
    }
  }
  before_.number = window.number;
  before_.start_ns = window.start_ns;
  before_.end_ns = window.end_ns;
  before_.sockets = window.sockets;
  before_.zones = window.zones;
}

std::string WindowWriter::take() {
  ByteWriter out;
  out.number(windows_);
  out.number(sockets_);
  out.number(before_.zones.size());
  for (ByteWriter& column : columns_) {
    out.text(column.bytes());
    column.clear();
  }
  windows_ = 0;
  return out.bytes();
}

WindowCursor::WindowCursor(std::string_view payload, const Meta& meta) {
  ByteReader in(payload);
  left_ = in.count();
  ok_ = in.number() == meta.sockets && in.number() == meta.zones.size();
  for (std::size_t i = 0; i < kColumns; ++i) {
    columns_.emplace_back(in.text());
  }
  ok_ = ok_ && in.ok();
  before_.sockets.resize(meta.sockets);
  before_.zones.resize(meta.zones.size());
}

bool WindowCursor::next(Window& window, std::vector<Id>& ids) {
  if (!ok_ || left_ == 0) {
    return false;
  }
  --left_;
  ok_ = read_head(window) && read_zones(window) && read_tasks(window, ids);
  if (!ok_) {
    return false;
  }
  before_.number = window.number;
  before_.start_ns = window.start_ns;
  before_.end_ns = window.end_ns;
  before_.sockets = window.sockets;
  before_.zones = window.zones;
  return true;
}

bool WindowCursor::read_head(Window& window) {
  window.number = columns_[kNumbers].difference_from(before_.number);
  window.start_ns = columns_[kStarts].difference_from(before_.end_ns);
  const std::uint64_t length_ns = columns_[kLengths].difference_from(length(before_));
  window.end_ns = window.start_ns + length_ns;
  window.sockets.resize(before_.sockets.size());
  for (std::size_t i = 0; i < window.sockets.size(); ++i) {
    SocketWindow& socket = window.sockets[i];
    socket.capacity_ns = columns_[kCapacities].difference_from(before_.sockets[i].capacity_ns);
    socket.lost_ns = columns_[kLost].number();
    if (socket.capacity_ns > kMaxNs || socket.lost_ns > kMaxNs) {
      return false;
    }
  }
  // Time goes on, also from one window to the next.
  return columns_[kNumbers].ok() && columns_[kStarts].ok() && columns_[kLengths].ok() &&
         columns_[kCapacities].ok() && columns_[kLost].ok() && length_ns > 0 &&
         length_ns <= kMaxNs && window.start_ns <= kMaxCount * 64 &&
         window.start_ns >= before_.end_ns;
}

bool WindowCursor::read_zones(Window& window) {
  window.zones.resize(before_.zones.size());
  for (std::size_t i = 0; i < window.zones.size(); ++i) {
    ZoneDelta& zone = window.zones[i];
    const std::uint64_t status = columns_[kStatuses].number();
    if (status > static_cast<std::uint64_t>(ZoneStatus::kGone)) {
      return false;
    }
    zone.status = static_cast<ZoneStatus>(status);
    zone.sys_errno =
        zone.status == ZoneStatus::kOk ? 0 : static_cast<int>(columns_[kErrnos].number32());
    zone.energy_nj = static_cast<std::int64_t>(columns_[kEnergies].difference_from(
        static_cast<std::uint64_t>(before_.zones[i].energy_nj)));
    zone.duration_ns = columns_[kDurations].difference_from(window.end_ns - window.start_ns);
    if (zone.energy_nj < 0 || zone.energy_nj > kMaxEnergyNj || zone.duration_ns > kMaxNs) {
      return false;
    }
  }
  return columns_[kStatuses].ok() && columns_[kErrnos].ok() && columns_[kEnergies].ok() &&
         columns_[kDurations].ok();
}

bool WindowCursor::read_tasks(Window& window, std::vector<Id>& ids) {
  // Bounded: each task takes at least a byte of the id column.
  const std::uint64_t tasks = columns_[kTaskCounts].number();
  window.tasks.clear();
  ids.clear();
  Id id = 0;
  for (std::uint64_t i = 0; i < tasks; ++i) {
    id += columns_[kTaskIds].number32();
    TaskUse& task = window.tasks.emplace_back();
    ids.push_back(id);
    task.run_ns = columns_[kRunTimes].number();
    task.switches = columns_[kSwitches].number32();
    task.counted_ns = columns_[kCountedTimes].number();
    if (task.counted_ns != 0) {
      task.cycles = columns_[kCycles].number();
      task.instructions = columns_[kInstructions].number();
    }
    if (!columns_[kTaskIds].ok() || task.run_ns > kMaxNs || task.counted_ns > task.run_ns ||
        task.cycles > kMaxCount || task.instructions > kMaxCount) {
      return false;
    }
  }
  return columns_[kTaskCounts].ok() && columns_[kTaskIds].ok() && columns_[kRunTimes].ok() &&
         columns_[kSwitches].ok() && columns_[kCountedTimes].ok() && columns_[kCycles].ok() &&
         columns_[kInstructions].ok();
}

}  // namespace powertrace::record
