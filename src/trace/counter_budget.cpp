// SPDX-License-Identifier: Apache-2.0
#include "trace/counter_budget.hpp"

#include <algorithm>
#include <limits>

namespace powertrace {

CounterBudget::CounterBudget(CounterMode mode, double budget, double reading_ns)
    : mode_(mode), budget_(budget), reading_ns_(reading_ns) {}

std::uint32_t CounterBudget::next_threshold(std::uint64_t switches, std::uint64_t window_ns) {
  constexpr std::uint32_t kAlwaysRead = std::numeric_limits<std::uint32_t>::max();
  if (mode_ == CounterMode::kOff) {
    return 0;
  }
  if (mode_ == CounterMode::kAlways || reading_ns_ <= 0) {
    return kAlwaysRead;
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
    return kAlwaysRead;
  }
  return static_cast<std::uint32_t>(spendable / full_cost * static_cast<double>(kAlwaysRead));
}

}  // namespace powertrace
