// SPDX-License-Identifier: Apache-2.0
#include "market/series.hpp"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

using namespace powertrace;

namespace {

constexpr std::int64_t kQuarter = 900;
constexpr std::int64_t kHour = 3600;

SeriesInfo euro() {
  SeriesInfo info;
  info.currency = "EUR";
  info.area = "FR";
  info.source = "test";
  return info;
}

std::vector<RawSlot> slots(std::int64_t start_s,
                           std::int64_t step_s,
                           const std::vector<std::optional<double>>& values) {
  std::vector<RawSlot> raw;
  for (const auto& value : values) {
    raw.push_back({start_s, start_s + step_s, value});
    start_s += step_s;
  }
  return raw;
}

}  // namespace

TEST_CASE("A slot holds its start and not its end") {
  const auto series = make_series(euro(), slots(0, kQuarter, {0.1, 0.2, std::nullopt, -0.3}));
  REQUIRE(series);
  REQUIRE(series->slots.size() == 3);
  CHECK(series->at(-1) == nullptr);
  CHECK(series->at(0)->value == 0.1);
  CHECK(series->at(kQuarter - 1)->value == 0.1);
  CHECK(series->at(kQuarter)->value == 0.2);
  CHECK(series->at(2 * kQuarter) == nullptr);  // null is not 0
  CHECK(series->at(3 * kQuarter)->value == -0.3);
  CHECK(series->at(4 * kQuarter) == nullptr);
}

TEST_CASE("Ranges and means over mixed lengths") {
  std::vector<RawSlot> raw = slots(0, kHour, {0.1});
  const auto quarters = slots(kHour, kQuarter, {0.5, 0.5, std::nullopt, 0.7});
  raw.insert(raw.end(), quarters.begin(), quarters.end());
  const auto series = make_series(euro(), raw);
  REQUIRE(series);
  CHECK(series->within(0, kHour).size() == 1);
  CHECK(series->within(kHour - 1, kHour + 1).size() == 2);
  CHECK(series->within(kHour, kHour).empty());
  CHECK(series->within(5, 4).empty());
  CHECK(*series->mean(0, kHour + 2 * kQuarter) == doctest::Approx((0.1 * 4 + 0.5 * 2) / 6));
  CHECK(*series->mean(kHour / 2, kHour + kQuarter) == doctest::Approx((0.1 * 2 + 0.5) / 3));
  CHECK(!series->mean(kHour + 2 * kQuarter, kHour + 3 * kQuarter));
  CHECK(!series->mean(10 * kHour, 11 * kHour));
}

TEST_CASE("What is no series is named") {
  const auto error_of = [](const std::vector<RawSlot>& raw) {
    const auto series = make_series(euro(), raw);
    REQUIRE(!series);
    return series.error();
  };
  CHECK(error_of({{0, 900, 1}, {1800, 2700, 1}}).message.find("gap") != std::string::npos);
  CHECK(error_of({{0, 900, 1}, {600, 1500, 1}}).message.find("overlaps") != std::string::npos);
  CHECK(error_of({{900, 1800, 1}, {0, 900, 1}}).message.find("out of order") != std::string::npos);
  CHECK(error_of({{0, 0, 1}}).message.find("length") != std::string::npos);
  CHECK(error_of({{900, 0, 1}}).message.find("length") != std::string::npos);
  CHECK(error_of({{-900, 0, 1}}).message.find("length") != std::string::npos);
  CHECK(error_of({{0, 900, std::nan("")}}).code == ErrorCode::kMalformed);
  CHECK(error_of({{0, 900, std::numeric_limits<double>::infinity()}}).code ==
        ErrorCode::kMalformed);
  CHECK(error_of({{0, 900, 15.1}}).message.find("cannot be") != std::string::npos);
  CHECK(error_of({}).code == ErrorCode::kNotFound);
  CHECK(error_of(slots(0, 900, {std::nullopt})).code == ErrorCode::kNotFound);
}

TEST_CASE("Bounds follow the quantity") {
  SeriesInfo info = euro();
  const std::vector<RawSlot> negative = {{0, 900, -0.5}};
  CHECK(make_series(info, negative));
  info.currency = "HUF";
  CHECK(make_series(info, std::vector<RawSlot>{{0, 900, 400.0}}));
  info.quantity = Quantity::kVolume;
  CHECK(!make_series(info, negative));
  info.quantity = Quantity::kCarbon;
  CHECK(!make_series(info, negative));
  CHECK(!make_series(info, std::vector<RawSlot>{{0, 900, 400'000.0}}));
  info.basis = CarbonBasis::kMarginal;
  CHECK(make_series(info, negative));
}

TEST_CASE("Units as sources write them") {
  for (const char* text : {"EUR/MWh", "EUR / MWh", "Eur/MWh", "\u20AC/MWh"}) {
    const auto unit = parse_unit(text);
    REQUIRE(unit);
    CHECK(unit->quantity == Quantity::kPrice);
    CHECK(unit->currency == "EUR");
    CHECK(unit->factor == 0.001);
  }
  CHECK(parse_unit("DKK/kWh")->currency == "DKK");
  CHECK(parse_unit("DKK/kWh")->factor == 1);
  CHECK(parse_unit("ct/kWh")->factor == 0.01);
  CHECK(parse_unit("gCO2/kWh")->quantity == Quantity::kCarbon);
  CHECK(parse_unit("lbs_co2_per_mwh")->factor * 1000 == doctest::Approx(453.59237));
  CHECK(parse_unit("MWh")->quantity == Quantity::kVolume);
  for (const char* text : {"", "EUR", "EUR/GWh", "EURO/MWh", "1UR/MWh", "/MWh", "W"}) {
    CHECK(parse_unit(text).error().code == ErrorCode::kMalformed);
  }
}

TEST_CASE("Newer data replaces older and leaves the rest") {
  const auto older = make_series(euro(), slots(0, kHour, {1, 2, 3}));
  auto info = euro();
  info.source = "other";
  const auto newer = make_series(info, slots(kHour, kQuarter, {5, 6, 7, 8}));
  const auto merged = merge(*older, *newer);
  REQUIRE(merged);
  CHECK(merged->info.source == "other");
  REQUIRE(merged->slots.size() == 6);
  CHECK(merged->at(0)->value == 1);
  CHECK(merged->at(kHour)->value == 5);
  CHECK(merged->at(2 * kHour)->value == 3);
  info.area = "DE";
  CHECK(!merge(*older, *make_series(info, slots(0, kHour, {1}))));
}
