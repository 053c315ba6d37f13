// SPDX-License-Identifier: Apache-2.0
//
// Keeps the cost of counter readings on one CPU within a budget by choosing the share of slices
// that are read. Pure; one per CPU.
#pragma once

#include <cstdint>

namespace powertrace {

enum class CounterMode : std::uint8_t {
  kAuto,     // all slices if the budget allows, else a sample
  kAlways,   // all slices, whatever it costs
  kSampled,  // as kAuto; kept apart so that a user can tell which was asked for
  kOff,
};

class CounterBudget {
 public:
  // `budget`: share of the CPU's time. `reading_ns`: what one reading of all counters costs.
  CounterBudget(CounterMode mode, double budget, double reading_ns);

  // After a window of `window_ns` with `switches`: the threshold for the next one, as in
  // pt_cpu::sample_threshold (probability x 2^32; 0: never, UINT32_MAX: always).
  std::uint32_t next_threshold(std::uint64_t switches, std::uint64_t window_ns);

 private:
  CounterMode mode_;
  double budget_;
  double reading_ns_;
  double switch_rate_ = 0;  // per ns; rises at once, falls slowly
};

}  // namespace powertrace
