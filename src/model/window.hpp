// SPDX-License-Identifier: Apache-2.0
//
// The input of attribution: who ran how long on which socket in one window, and what every zone
// used meanwhile. Passive data, built by pipeline/ from trace/ and energy/, or read from a file.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "model/zone.hpp"

namespace powertrace {

// A task over its whole life: a pid alone is reused. `start_ns` is task_struct::start_boottime
// (CLOCK_BOOTTIME ns), which is what field 22 of /proc/PID/stat shows in clock ticks.
struct TaskId {
  std::uint32_t pid = 0;  // the kernel's pid: a thread id to user space
  std::uint64_t start_ns = 0;
  auto operator<=>(const TaskId&) const = default;
};

using Comm = std::array<char, 16>;  // NUL-terminated, as in task_struct
inline std::string_view comm_view(const Comm& comm) {
  const std::string_view all(comm.data(), comm.size());
  return all.substr(0, all.find('\0'));  // a recording may have lost the NUL
}

// One task on one socket under one cgroup in one window.
struct TaskUse {
  TaskId task;
  std::uint32_t tgid = 0;
  std::int32_t socket = 0;
  std::uint64_t cgroup_id = 0;
  Comm comm{};
  bool kernel_thread = false;
  std::uint32_t switches = 0;
  std::uint64_t run_ns = 0;
  std::uint64_t counted_ns = 0;    // part of run_ns during which the hardware counters were read
  std::uint64_t cycles = 0;        // during counted_ns only
  std::uint64_t instructions = 0;  // during counted_ns only
};

// What one socket could have run and what was lost of it.
struct SocketWindow {
  std::uint64_t capacity_ns = 0;  // online CPUs x window length
  std::uint64_t lost_ns = 0;      // run time whose task is unknown (a drop counter moved)
};

struct Window {
  std::uint64_t number = 0;
  std::uint64_t start_ns = 0;  // CLOCK_MONOTONIC
  std::uint64_t end_ns = 0;    // CLOCK_MONOTONIC; the length is what the clock says
  std::vector<TaskUse> tasks;
  std::vector<SocketWindow> sockets;  // by socket index; at least one
  std::vector<ZoneDelta> zones;       // parallel to the source's zone list
};

// What a zone brings into a window's sums: its energy if its status is kOk, else nothing.
inline std::int64_t usable_energy_nj(const ZoneDelta& delta) {
  return delta.status == ZoneStatus::kOk && delta.energy_nj > 0 ? delta.energy_nj : 0;
}

}  // namespace powertrace

template <>
struct std::hash<powertrace::TaskId> {
  std::size_t operator()(const powertrace::TaskId& id) const noexcept {
    return static_cast<std::size_t>((id.start_ns ^ (std::uint64_t{id.pid} << 40U)) *
                                    0x9E3779B97F4A7C15ULL);
  }
};
