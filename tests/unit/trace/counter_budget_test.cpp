// SPDX-License-Identifier: Apache-2.0
#include "trace/counter_budget.hpp"

#include <cmath>
#include <initializer_list>

#include <doctest/doctest.h>

#include "powertrace/abi.h"

namespace powertrace {
namespace {

constexpr std::uint64_t kWindowNs = 100'000'000;

}  // namespace

TEST_CASE("counter budget: what the budget cannot pay for is sampled") {
  CounterBudget budget(CounterMode::kAuto, 0.005, 1000);
  // 100 switches in a window, two readings of 1 us each: 0.2 %.
  CHECK(budget.next(100, kWindowNs).share == 1);
  // 100 times as many would take 20 %. Their account takes 0.15 %, a reading at the edge 0.001 %.
  CHECK(budget.next(10'000, kWindowNs).share == doctest::Approx((0.005 - 0.0015 - 0.00001) / 0.2));
  // A lull does not let the next burst in at once.
  CHECK(budget.next(0, kWindowNs).share < 0.05);
}

TEST_CASE("counter budget: a third of it is for readings, however much the account takes") {
  CounterBudget budget(CounterMode::kAuto, 0.005, 1000);
  CHECK(budget.next(100'000, kWindowNs).share == doctest::Approx((0.005 / 3 - 0.00001) / 2));
}

TEST_CASE("counter budget: a window may count no more slices than the budget pays for") {
  CounterBudget budget(CounterMode::kAuto, 0.005, 1000);
  // 0.5 % of 100 ms less a reading at the edge, at two readings a slice: 249.5, and 1 for the odd
  // one. The account of so few switches takes less than a slice.
  const Sampling quiet = budget.next(100, kWindowNs);
  CHECK(quiet.share == 1);
  CHECK(quiet.allowance == 249);
  CHECK(budget.next(100'000, kWindowNs).allowance == 83);
  // However short the windows, what is drawn is read.
  CHECK(CounterBudget(CounterMode::kAuto, 0.005, 1000).next(1, 250'000).allowance == 1);
  CHECK(CounterBudget(CounterMode::kAlways, 0.005, 1000).next(1, kWindowNs).allowance == ~0U);
}

TEST_CASE("counter budget: modes, and windows too short for a single reading") {
  CHECK(CounterBudget(CounterMode::kOff, 0.005, 1000).next(1, kWindowNs).share == 0);
  CHECK(CounterBudget(CounterMode::kAlways, 0.005, 1000).next(1'000'000, kWindowNs).share == 1);
  CHECK(CounterBudget(CounterMode::kAuto, 0.005, 1000).next(1, 100'000).share == 0);
}

TEST_CASE("sample scale: the mean distance is one over the share") {
  CHECK(sample_scale(0) == PT_NEVER);
  CHECK(sample_scale(NAN) == PT_NEVER);
  CHECK(sample_scale(1) == 0);
  for (const double share : {0.01, 0.001, 1e-6}) {
    // The mean of what it is multiplied with, in the units of next_sample().
    const double log = 1.5 * 65536;
    const double mean = 1 + log * static_cast<double>(sample_scale(share)) / 4294967296.0;
    CHECK(mean == doctest::Approx(1 / share).epsilon(0.01));
  }
  // The largest logarithm times the scale stays within 64 bits.
  CHECK(sample_scale(1e-18) <= ~0ULL / (32U << 16U));
}

}  // namespace powertrace
