// SPDX-License-Identifier: Apache-2.0
//
// Run time without gaps. A window says what a task ran in the slices that the kernel side saw; the
// scheduler's own sum, noted with each, says what it ran in all. What lies between two windows'
// sums is the task's time, whoever saw it: slices that the kernel hid are added, and what a flush
// estimated too much is taken back. Pure; loop thread only.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "model/window.hpp"

namespace powertrace {

class RunTime {
 public:
  // Watching starts at this instant (CLOCK_BOOTTIME, as TaskId): what is born later is known whole.
  void start(std::uint64_t now_ns) { start_ns_ = now_ns; }

  // The task's sum in one of the open window's slots.
  void note(const TaskId& task, std::uint64_t sum_ns);

  // Ends the window: makes run_ns what the sums say. On entry run_ns may be negative, as its two's
  // complement; afterwards it never is, and counted_ns is between 0 and it.
  void settle(Window& window, std::uint64_t now_ns);

 private:
  struct Known {
    std::uint64_t booked_ns = 0;  // of the task's sum: charged in windows so far
    std::uint64_t sum_ns = 0;     // the highest noted in the open window
    std::uint64_t seen_ns = 0;    // the last window's end; 0: not yet in one
    bool noted = false;           // in the open window
    // While a window is settled:
    std::int64_t ran_ns = 0;       // what its slots say
    std::uint64_t charged_ns = 0;  // the same without those below 0
    std::size_t longest = 0;       // index of the task's longest use
  };

  void forget_old(std::uint64_t now_ns);

  std::unordered_map<TaskId, Known> tasks_;
  std::vector<Known*> of_use_;  // by index of the window's tasks
  std::size_t limit_ = 4096;
  std::uint64_t start_ns_ = 0;
};

}  // namespace powertrace
