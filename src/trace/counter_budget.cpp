// SPDX-License-Identifier: Apache-2.0
#include "trace/counter_budget.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "powertrace/abi.h"

namespace powertrace {
namespace {

// What a switch takes without readings: 10 to 15 ns, docs/performance.md.
constexpr double kAccountNs = 15;

}  // namespace

Sampling CounterBudget::next(std::uint64_t switches, std::uint64_t window_ns) {
  constexpr Sampling kAll{1, std::numeric_limits<std::uint32_t>::max()};
  if (mode_ == CounterMode::kOff) {
    return {};
  }
  if (mode_ == CounterMode::kAlways || reading_ns_ <= 0) {
    return kAll;
  }
  if (window_ns == 0) {
    return {};
  }
  // A lull should not let the next burst in: follow a rising rate at once and a falling one by a
  // quarter a window.
  const auto window = static_cast<double>(window_ns);
  const double rate = static_cast<double>(switches) / window;
  switch_rate_ = std::max(rate, 0.75 * switch_rate_ + 0.25 * rate);

  // The account of run time comes first, but leaves at least a third to the readings. These are two
  // a counted slice, and one at the window's edge.
  const double for_readings = std::max(budget_ - kAccountNs * switch_rate_, budget_ / 3);
  const double slices = (for_readings * window - reading_ns_) / (2 * reading_ns_);
  if (slices <= 0) {
    return {};
  }
  Sampling sampling;
  sampling.share = std::min(slices / (switch_rate_ * window), 1.0);
  sampling.allowance = static_cast<std::uint32_t>(std::min<double>(slices + 1, kAll.allowance));
  return sampling;
}

std::uint64_t sample_scale(double share) {
  // The mean of the logarithm as it is approximated there, and its unit.
  constexpr double kMeanLog = 1.5;
  constexpr double kUnit = 1U << 16U;
  if (!(share > 0)) {
    return PT_NEVER;
  }
  if (share >= 1) {
    return 0;
  }
  return static_cast<std::uint64_t>(
      std::min<double>(kUnit / (kMeanLog * -std::log1p(-share)), PT_MAX_SCALE));
}

}  // namespace powertrace
