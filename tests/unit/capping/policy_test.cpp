// SPDX-License-Identifier: Apache-2.0
#include "capping/policy.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "capping/controller.hpp"
#include "capping/effect.hpp"
#include "capping/limiter.hpp"
#include "market/local_time.hpp"
#include "support/text.hpp"

using namespace powertrace;

namespace {

using powertrace::test::contains;

constexpr PowerRange kRange{100, 200};
constexpr std::int64_t kQuarter = 900;

TimeZone paris() {
  return *TimeZone::find("Europe/Paris");
}

Series day_of(const Date& date,
              const std::function<double(int)>& value,
              Quantity quantity = Quantity::kPrice) {
  Series series;
  series.info.quantity = quantity;
  series.info.currency = "EUR";
  int i = 0;
  for (std::int64_t at = day_start(paris(), date); at < day_start(paris(), add_days(date, 1));
       at += kQuarter) {
    series.slots.push_back({at, at + kQuarter, value(i++)});
  }
  return series;
}

Policy policy_of(PolicyKind kind) {
  Policy policy;
  policy.kind = kind;
  policy.zone = paris();
  return policy;
}

}  // namespace

TEST_CASE("price-rank: the cheapest slot gets the ceiling, the dearest the floor") {
  const Policy policy = policy_of(PolicyKind::kPriceRank);
  for (const Date& date : {Date{2026, 6, 1}, Date{2026, 3, 29}, Date{2026, 10, 25}}) {
    const Series series = day_of(date, [](int i) { return -0.02 + i * 0.001; });
    const std::int64_t start = day_start(paris(), date);
    const std::int64_t end = day_start(paris(), add_days(date, 1));
    CHECK(decide(policy, kRange, &series, start)->watts == 200);
    CHECK(decide(policy, kRange, &series, end - 1)->watts == 100);  // 23:45-24:00 like any other
    double last = 201;
    for (const Slot& slot : series.slots) {
      const auto decision = decide(policy, kRange, &series, slot.start_s);
      REQUIRE(decision);
      CHECK(decision->watts < last);
      CHECK(decision->slot == slot);
      last = decision->watts;
    }
    CHECK(decide(policy, kRange, &series, end).error().code == ErrorCode::kNotFound);
    CHECK(decide(policy, kRange, &series, start - 1).error().code == ErrorCode::kNotFound);
  }
}

TEST_CASE("price-rank: equal prices are equal, two prices are two powers") {
  const Policy policy = policy_of(PolicyKind::kPriceRank);
  const Date date{2026, 6, 1};
  const Series flat = day_of(date, [](int) { return 0.1; });
  CHECK(decide(policy, kRange, &flat, flat.slots[50].start_s)->watts == 200);
  const Series two = day_of(date, [](int i) { return i < 32 ? 0.1 : 0.3; });
  CHECK(decide(policy, kRange, &two, two.slots[0].start_s)->watts == 200);
  CHECK(decide(policy, kRange, &two, two.slots[95].start_s)->watts == 100);
  Series little = two;
  little.slots.resize(8);
  CHECK(contains(decide(policy, kRange, &little, little.slots[0].start_s).error().message, "rank"));
}

TEST_CASE("thresholds: a line between two, a step at one; carbon needs carbon") {
  Policy policy = policy_of(PolicyKind::kPriceThreshold);
  policy.low = 0.1;
  policy.high = 0.2;
  const Date date{2026, 6, 1};
  const auto watts = [&](double price) {
    const Series series = day_of(date, [price](int) { return price; });
    return decide(policy, kRange, &series, series.slots[0].start_s)->watts;
  };
  CHECK(watts(-0.5) == 200);
  CHECK(watts(0.1) == 200);
  CHECK(watts(0.15) == doctest::Approx(150));
  CHECK(watts(0.2) == 100);
  CHECK(watts(0.9) == 100);
  policy.high = 0.1;
  CHECK(watts(0.1) == 200);
  CHECK(watts(0.1001) == 100);
  policy.kind = PolicyKind::kCarbonThreshold;
  const Series price = day_of(date, [](int) { return 1.0; });
  CHECK(decide(policy, kRange, &price, price.slots[0].start_s).error().code == ErrorCode::kUsage);
  policy.high = 400;
  policy.low = 200;
  const Series carbon = day_of(
      date, [](int) { return 300.0; }, Quantity::kCarbon);
  CHECK(decide(policy, kRange, &carbon, carbon.slots[0].start_s)->watts == 150);
}

TEST_CASE("rule-of-three: the power manager's formula, clamped, without its last-quarter hole") {
  Policy policy = policy_of(PolicyKind::kRuleOfThree);
  const Date date{2026, 6, 1};
  const Series volume = day_of(
      date, [](int i) { return i * 10.0; }, Quantity::kVolume);
  const auto watts = [&](std::size_t slot) {
    return decide(policy, {40, 200}, &volume, volume.slots[slot].start_s)->watts;
  };
  CHECK(watts(95) == 200);
  CHECK(watts(50) == std::round(500.0 / 950 * 200));
  CHECK(watts(0) == 40);
  policy.reference = PolicyReference::kMean;
  CHECK(watts(95) == 200);
  CHECK(watts(40) == std::round(400.0 / 475 * 200));
  const Series none = day_of(
      date, [](int) { return 0.0; }, Quantity::kVolume);
  CHECK(decide(policy, kRange, &none, none.slots[0].start_s).error().code == ErrorCode::kNotFound);
}

TEST_CASE("schedule: by the local clock, over midnight and through the change of clocks") {
  Policy policy = policy_of(PolicyKind::kSchedule);
  policy.schedule =
      *parse_week_rules("100%, 60% mon-fri 17:00-20:00; 75% nov-feb 22:00-06:00, 130W sun");
  const auto watts = [&](const char* time) {
    return decide(policy, kRange, nullptr, *parse_time(time))->watts;
  };
  CHECK(watts("2026-06-01T17:00:00+02:00") == 120);
  CHECK(watts("2026-06-01T16:59:59+02:00") == 200);
  CHECK(watts("2026-06-01T20:00:00+02:00") == 200);
  CHECK(watts("2026-06-06T18:00:00+02:00") == 200);  // Saturday
  CHECK(watts("2026-12-01T23:00:00+01:00") == 150);
  CHECK(watts("2026-12-02T05:59:00+01:00") == 150);
  CHECK(watts("2026-12-02T06:00:00+01:00") == 200);
  CHECK(watts("2026-03-29T03:00:00+02:00") == 130);  // Sunday
  for (const char* bad : {"", "60% mon-fri", "x", "100%, 60% someday", "100%, 60% 25:00-26:00",
                          "100%, 60% 10:00-10:00", "100%, 60% 1:00-2:00"}) {
    CHECK(!parse_week_rules(bad));
  }
  policy.schedule = *parse_week_rules("0.3EUR/kWh");
  CHECK(!check_policy(policy, kRange));
  policy.schedule = {};
  CHECK(!check_policy(policy, kRange));
}

TEST_CASE("Tariffs become series") {
  const auto rules = parse_week_rules("0.30 EUR/kWh, 22ct/kWh 22:00-06:00");
  REQUIRE(rules);
  const std::int64_t start = day_start(paris(), {2026, 3, 29});
  const std::int64_t end = day_start(paris(), {2026, 3, 30});
  const auto series = tariff_series(*rules, paris(), start, end);
  REQUIRE(series);
  CHECK(series->slots.front().start_s == start);
  CHECK(series->slots.back().end_s == end);
  // Five hours of the night before 06:00, as the clock skips one, and two after 22:00.
  CHECK(*series->mean(start, end) == doctest::Approx((7 * 0.22 + 16 * 0.30) / 23));
  CHECK(!tariff_series(*parse_week_rules("1, 2 mon"), paris(), start, end));
  CHECK(!tariff_series(*parse_week_rules("1EUR/kWh, 2USD/kWh mon"), paris(), start, end));
  CHECK(!tariff_series(*parse_week_rules("1EUR/kWh, 2 10:05-11:00"), paris(), start, end));
  CHECK(!tariff_series(*rules, paris(), end, start));
}

TEST_CASE("Ranges and bounds that make no sense are refused") {
  const Policy policy = policy_of(PolicyKind::kPriceRank);
  CHECK(contains(check_policy(policy, {200, 100}).error().message, "above the ceiling"));
  CHECK(!check_policy(policy, {0, 100}));
  CHECK(!check_policy(policy, {std::nan(""), 100}));
  Policy threshold = policy_of(PolicyKind::kPriceThreshold);
  threshold.low = 2;
  threshold.high = 1;
  CHECK(!check_policy(threshold, kRange));
  CHECK(*parse_power_bound("50%", 200) == 100);
  CHECK(*parse_power_bound("95W", 200) == 95);
  CHECK(*parse_power_bound("95W,50%", 200) == 100);
  for (const char* bad : {"", "95", "-5W", "0W", "nanW", "50%%", "50%,", "W"}) {
    CHECK_MESSAGE(!parse_power_bound(bad, 200), bad);
  }
}

TEST_CASE("The limiter: hysteresis, dwell and slew") {
  Limiter limiter({2, 0.02, 60, 10}, 200);
  CHECK(limiter.step(0, 199) == 200);  // less than 2 W and 2 %
  CHECK(limiter.step(1, 150) == 190);
  CHECK(limiter.step(2, 150) == 180);
  CHECK(limiter.step(3, 100) == 170);  // a new target has to wait
  CHECK(*limiter.target_w() == 150);
  CHECK(limiter.step(10, 100) == 150);
  CHECK(limiter.step(60, 100) == 150);
  CHECK(limiter.step(61, 100) == 140);
  CHECK(*limiter.target_w() == 100);
  CHECK(limiter.step(200, 100.9) == 100);
  CHECK(*limiter.target_w() == 100);
  CHECK(limiter.step(150, 150) == 100);  // a clock that goes back moves nothing
}

TEST_CASE("Without data the last decision holds for two slots, then all limits are lifted") {
  ControllerConfig config;
  config.policy = policy_of(PolicyKind::kPriceThreshold);
  config.policy.low = config.policy.high = 0.1;
  config.range = kRange;
  config.original_w = 220;
  config.limiter.slew_w_per_s = 1000;
  auto controller = Controller::create(config);
  REQUIRE(controller);
  Series series = day_of({2026, 6, 1}, [](int) { return 0.5; });
  const std::int64_t end = series.slots.back().end_s;

  CHECK(controller->step(static_cast<double>(series.slots[0].start_s) - 1, &series).phase ==
        CapPhase::kReleased);
  const ControlStep first = controller->step(static_cast<double>(end) - 100, &series);
  CHECK(first.phase == CapPhase::kFollowing);
  CHECK(first.applied_w == 100);
  const ControlStep held = controller->step(static_cast<double>(end) + 1799, &series);
  CHECK(held.phase == CapPhase::kHolding);
  CHECK(held.applied_w == 100);
  CHECK(contains(held.note, "no price"));
  const ControlStep released = controller->step(static_cast<double>(end) + 1800, &series);
  CHECK(released.phase == CapPhase::kReleased);
  CHECK(released.applied_w == 220);
  CHECK(controller->step(static_cast<double>(end) + 1801, nullptr).phase == CapPhase::kReleased);

  config.range.ceiling_w = 221;
  CHECK(!Controller::create(config));
  config.range.ceiling_w = 200;
  config.limiter.slew_w_per_s = 0;
  CHECK(!Controller::create(config));
}

TEST_CASE("A day at every second: within bounds, slow enough, rarely enough") {
  ControllerConfig config;
  config.policy = policy_of(PolicyKind::kPriceRank);
  config.range = kRange;
  config.original_w = 200;
  for (const Date& date : {Date{2026, 3, 29}, Date{2026, 10, 25}}) {
    auto controller = Controller::create(config);
    REQUIRE(controller);
    const Series series = day_of(date, [](int i) { return 0.1 + 0.09 * std::sin(i * 1.7); });
    double before = 200;
    double lowest = 200;
    for (std::int64_t at = series.slots.front().start_s; at < series.slots.back().end_s; ++at) {
      const ControlStep step = controller->step(static_cast<double>(at), &series);
      REQUIRE(step.phase == CapPhase::kFollowing);
      REQUIRE(step.applied_w >= 100);
      REQUIRE(step.applied_w <= 200);
      REQUIRE(std::abs(step.applied_w - before) <= 10.0 + 1e-9);
      before = step.applied_w;
      lowest = std::min(lowest, before);
    }
    CHECK(lowest < 105);
  }
}

TEST_CASE("What a cap costs whom") {
  EffectLedger ledger;
  ledger.add(std::vector<WorkloadSample>{{"a", 100, 10, 30e9, 1.0}, {"b", 5, 1, 0, {}}}, 10, false);
  ledger.add(std::vector<WorkloadSample>{{"a", 60, 10, 20e9, 4.0}}, 10, true);
  const auto rows = ledger.rows(10);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].name == "a");
  CHECK(rows[0].free.watts == 10);
  CHECK(rows[0].capped.watts == 6);
  CHECK(rows[0].free.cpus == 1);
  CHECK(rows[0].free.ghz == doctest::Approx(3));
  CHECK(*rows[0].slower() == doctest::Approx(1.0 / 3));
  CHECK(*rows[0].free.stalled == doctest::Approx(0.1));
  CHECK(*rows[0].capped.stalled == doctest::Approx(0.4));
  CHECK(!rows[1].slower());
  CHECK(ledger.rows(1).size() == 1);
}
