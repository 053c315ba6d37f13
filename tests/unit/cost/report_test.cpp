// SPDX-License-Identifier: Apache-2.0
#include "cost/report.hpp"

#include <random>

#include <doctest/doctest.h>

using namespace powertrace;

namespace {

UtcMs at(const char* text) {
  return parse_rfc3339(text).value();
}

}  // namespace

TEST_CASE("rows and buckets of random energy add up to the same total") {
  std::mt19937_64 random(42);
  CostModel model;
  model.pue = 1.37;
  model.currency = "EUR";
  model.carbon_price = 0.08;
  const TimeRange range{at("2026-10-24T00:00:00Z"), at("2026-10-27T00:00:00Z")};
  std::vector<ValueSlot> prices;
  std::vector<ValueSlot> intensities;
  for (UtcMs t = range.start; t < range.end; t += 15 * kMinuteMs) {
    prices.push_back({t, t + 15 * kMinuteMs, static_cast<double>(random() % 600) / 1000 - 0.1});
  }
  for (UtcMs t = range.start; t < range.end; t += 30 * kMinuteMs) {
    intensities.push_back({t, t + 30 * kMinuteMs, static_cast<double>(random() % 700)});
  }
  model.price = Curve::from_slots(prices).value();
  model.intensity = Curve::from_slots(intensities).value();
  std::vector<EnergyPiece> pieces;
  std::int64_t total_nj = 0;
  for (int i = 0; i < 5000; ++i) {
    const UtcMs start = range.start + static_cast<UtcMs>(random() % (3 * kDayMs - kHourMs));
    const auto energy = static_cast<std::int64_t>(random() % 1'000'000'000'000);
    pieces.push_back({static_cast<std::uint32_t>(random() % 17), start,
                      start + 1 + static_cast<UtcMs>(random() % kHourMs), energy});
    total_nj += energy;
  }
  const TimeZone paris = TimeZone::find("Europe/Paris").value();
  const std::vector<Cost> rows = cost_by_group(model, 17, pieces, 72);
  const Cost total = sum_of(rows);
  CHECK(total.energy_nj == total_nj);
  for (const Calendar calendar : {Calendar::kHour, Calendar::kDay, Calendar::kWhole}) {
    Cost sum;
    for (const CostBucket& bucket :
         cost_by_time(model, divide_range(range, calendar, paris), pieces, {})) {
      sum += bucket.cost;
    }
    CHECK(sum.energy_nj == total_nj);
    CHECK(sum.priced_nj == total_nj);
    CHECK(sum.electricity == doctest::Approx(total.electricity).epsilon(1e-9));
    CHECK(sum.total() == doctest::Approx(total.total()).epsilon(1e-9));
    CHECK(sum.carbon_g == doctest::Approx(total.carbon_g).epsilon(1e-9));
  }
}

TEST_CASE("the day on which clocks change, by hour and by day") {
  const TimeZone paris = TimeZone::find("Europe/Paris").value();
  const TimeRange spring{at("2026-03-28T23:00:00Z"), at("2026-03-29T22:00:00Z")};
  CHECK(divide_range(spring, Calendar::kHour, paris).size() == 23);
  CHECK(divide_range(spring, Calendar::kDay, paris).size() == 1);
  const TimeRange autumn{at("2026-10-24T22:00:00Z"), at("2026-10-25T23:00:00Z")};
  const std::vector<TimeRange> hours = divide_range(autumn, Calendar::kHour, paris);
  CHECK(hours.size() == 25);
  CHECK(divide_range(autumn, Calendar::kDay, paris).size() == 1);
  // 02:00 comes twice; each has its own price.
  CostModel model;
  model.price = Curve::from_slots({{at("2026-10-25T00:00:00Z"), at("2026-10-25T01:00:00Z"), 1},
                                   {at("2026-10-25T01:00:00Z"), at("2026-10-25T02:00:00Z"), 2}})
                    .value();
  const std::vector<EnergyPiece> pieces{
      {0, at("2026-10-25T00:00:00Z"), at("2026-10-25T02:00:00Z"), 7'200'000'000'000'000}};
  const std::vector<CostBucket> buckets = cost_by_time(model, hours, pieces, {});
  CHECK(paris.format(hours[2].start) == "2026-10-25T02:00:00+02:00");
  CHECK(paris.format(hours[3].start) == "2026-10-25T02:00:00+01:00");
  CHECK(buckets[2].cost.electricity == doctest::Approx(1));
  CHECK(buckets[3].cost.electricity == doctest::Approx(2));
}

TEST_CASE("a range that begins and ends within an hour has cut buckets and a coverage") {
  const TimeRange range{at("2026-01-01T10:40:00Z"), at("2026-01-01T12:10:00Z")};
  const std::vector<TimeRange> hours = divide_range(range, Calendar::kHour, TimeZone::utc());
  REQUIRE(hours.size() == 3);
  CHECK(hours[0].end - hours[0].start == 20 * kMinuteMs);
  const std::vector<CoveredPiece> covered{
      {range.start, range.start + 40 * kMinuteMs, 20 * kMinuteMs}};
  const std::vector<CostBucket> buckets = cost_by_time(CostModel{}, hours, {}, covered);
  CHECK(buckets[0].coverage() == doctest::Approx(0.5));
  CHECK(buckets[1].coverage() == doctest::Approx(1.0 / 6));
  CHECK(buckets[2].coverage() == 0);
}

TEST_CASE("embodied carbon goes by time over buckets and by energy over rows") {
  CostModel model;
  model.embodied = Embodied{1'200'000, 35'040};
  const TimeRange range{0, 2 * kHourMs};
  const std::vector<EnergyPiece> pieces{{0, 0, kHourMs, 300}, {1, kHourMs, 2 * kHourMs, 100}};
  const std::vector<CoveredPiece> covered{{0, 2 * kHourMs, 2 * kHourMs}};
  const auto buckets =
      cost_by_time(model, divide_range(range, Calendar::kHour, TimeZone::utc()), pieces, covered);
  CHECK(buckets[0].cost.embodied_g == doctest::Approx(1'200'000.0 / 35'040));
  const auto rows = cost_by_group(model, 2, pieces, 2);
  CHECK(rows[0].embodied_g == doctest::Approx(2 * 1'200'000.0 / 35'040 * 0.75));
  CHECK(sum_of(rows).embodied_g ==
        doctest::Approx(buckets[0].cost.embodied_g + buckets[1].cost.embodied_g));
}

TEST_CASE("the resolution of a question meets slots and zones") {
  CostModel model;
  const TimeRange range{0, kDayMs};
  CHECK(query_resolution(model, range, Calendar::kHour, TimeZone::utc()) == kHourMs);
  CHECK(query_resolution(model, range, Calendar::kHour, TimeZone::find("Asia/Kolkata").value()) ==
        30 * kMinuteMs);
  model.price = Curve::from_slots({{0, 15 * kMinuteMs, 1}}).value();
  CHECK(query_resolution(model, range, Calendar::kWhole, TimeZone::utc()) == 15 * kMinuteMs);
}
