// SPDX-License-Identifier: Apache-2.0
//
// Keeps what watching the switches costs on one CPU within a budget by choosing the share of slices
// whose counters are read. Pure; one per CPU.
#pragma once

#include <cstdint>

namespace powertrace {

enum class CounterMode : std::uint8_t {
  kAuto,     // all slices if the budget allows, else a sample
  kAlways,   // all slices, whatever it costs
  kSampled,  // as kAuto; kept apart so that a user can tell which was asked for
  kOff,
};

struct Sampling {
  double share = 0;             // of the slices, 0 to 1
  std::uint32_t allowance = 0;  // slices in a window, from which on the share is halved; and again
};

class CounterBudget {
 public:
  // `budget`: share of the CPU's time. `reading_ns`: what one reading of all counters costs.
  CounterBudget(CounterMode mode, double budget, double reading_ns)
      : mode_(mode), budget_(budget), reading_ns_(reading_ns) {}

  // After a window of `window_ns` with `switches`: how to sample in the next one.
  Sampling next(std::uint64_t switches, std::uint64_t window_ns);

 private:
  CounterMode mode_;
  double budget_;
  double reading_ns_;
  double switch_rate_ = 0;  // per ns; rises at once, falls slowly
};

// pt_cpu::sample_scale for that share: what next_sample() of the BPF side multiplies with.
std::uint64_t sample_scale(double share);

}  // namespace powertrace
