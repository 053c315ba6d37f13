// SPDX-License-Identifier: Apache-2.0
#include "trace/counter_budget.hpp"

#include <algorithm>
#include <cmath>

#include "powertrace/abi.h"

namespace powertrace {

double CounterBudget::next_share(std::uint64_t switches, std::uint64_t window_ns) {
  if (mode_ == CounterMode::kOff) {
    return 0;
  }
  if (mode_ == CounterMode::kAlways || reading_ns_ <= 0) {
    return 1;
  }
  if (window_ns == 0) {
    return 0;
  }
  // A burst must not overrun the budget for long, while a lull should not let the next burst in:
  // follow a rising rate at once and a falling one by a quarter a window.
  const double rate = static_cast<double>(switches) / static_cast<double>(window_ns);
  switch_rate_ = std::max(rate, 0.75 * switch_rate_ + 0.25 * rate);

  // Two readings a counted slice, and one at the window's edge.
  const double spendable = budget_ - reading_ns_ / static_cast<double>(window_ns);
  const double full_cost = 2 * reading_ns_ * switch_rate_;
  if (spendable <= 0) {
    return 0;
  }
  if (full_cost <= spendable) {
    return 1;
  }
  return spendable / full_cost;
}

std::uint64_t sample_scale(double share) {
  // The largest that cannot overflow there: a sample in a hundred million slices.
  constexpr double kLargest = 1ULL << 42U;
  // The mean of the logarithm as it is approximated there, and its unit.
  constexpr double kMeanLog = 1.5;
  constexpr double kUnit = 1U << 16U;
  if (!(share > 0)) {
    return PT_NEVER;
  }
  if (share >= 1) {
    return 0;
  }
  return static_cast<std::uint64_t>(std::min(kUnit / (kMeanLog * -std::log1p(-share)), kLargest));
}

}  // namespace powertrace
