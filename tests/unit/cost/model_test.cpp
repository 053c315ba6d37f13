// SPDX-License-Identifier: Apache-2.0
#include "cost/model.hpp"

#include <random>

#include <doctest/doctest.h>

#include "cost/units.hpp"

using namespace powertrace;

namespace {

constexpr std::int64_t kHundredWattHours = 360'000'000'000'000;  // nJ

CostModel flat() {
  CostModel model;
  model.pue = 1.3;
  model.price = Curve::constant(0.12);
  model.intensity = Curve::constant(400);
  model.carbon_price = 0.05;
  model.currency = "EUR";
  return model;
}

}  // namespace

TEST_CASE("100 W for an hour at PUE 1.3, 0.12 EUR/kWh, 400 g/kWh, 0.05 EUR/kg") {
  const CostModel model = flat();
  const Cost cost = cost_of(model, 0, kHourMs, kHundredWattHours);
  CHECK(facility_kwh(model, cost) == doctest::Approx(0.13).epsilon(1e-12));
  CHECK(cost.electricity == doctest::Approx(0.0156).epsilon(1e-12));
  CHECK(cost.carbon_g == doctest::Approx(52).epsilon(1e-12));
  CHECK(cost.carbon_cost == doctest::Approx(0.0026).epsilon(1e-12));
  CHECK(cost.total() == doctest::Approx(0.0182).epsilon(1e-12));
}

TEST_CASE("PUE 1 and price 0 cost nothing") {
  CostModel model = flat();
  model.pue = 1;
  model.price = Curve::constant(0);
  model.carbon_price.reset();
  CHECK(cost_of(model, 0, kHourMs, kHundredWattHours).total() == 0);
}

TEST_CASE("prices change within a piece of energy, and may be negative") {
  CostModel model;
  model.price = Curve::from_slots({{0, kHourMs / 2, 0.30}, {kHourMs / 2, kHourMs, -0.10}}).value();
  // Half of 0.1 kWh at each price: 0.05 x 0.30 - 0.05 x 0.10.
  const Cost cost = cost_of(model, 0, kHourMs, kHundredWattHours);
  CHECK(cost.electricity == doctest::Approx(0.01).epsilon(1e-12));
  CHECK(mean_price(model, cost).value() == doctest::Approx(0.10).epsilon(1e-12));
  CHECK(cost_of(model, kHourMs / 2, kHourMs, kHundredWattHours).electricity ==
        doctest::Approx(-0.01).epsilon(1e-12));
}

TEST_CASE("energy without a price is counted, not guessed") {
  CostModel model;
  model.price = Curve::from_slots({{kHourMs / 4, kHourMs / 2, 0.40}}).value();
  const Cost cost = cost_of(model, 0, kHourMs, kHundredWattHours);
  CHECK(cost.energy_nj == kHundredWattHours);
  CHECK(cost.priced_nj == kHundredWattHours / 4);
  CHECK(cost.electricity == doctest::Approx(0.01).epsilon(1e-12));
  CHECK(mean_price(model, cost).value() == doctest::Approx(0.40).epsilon(1e-12));
  CHECK_FALSE(mean_intensity(model, cost).has_value());
}

TEST_CASE("pieces keep every nanojoule over any slots") {
  std::mt19937_64 random(7);
  for (int run = 0; run < 200; ++run) {
    std::vector<ValueSlot> slots;
    UtcMs at = 0;
    while (at < kHourMs) {
      const UtcMs next = at + 1 + static_cast<UtcMs>(random() % 600'000);
      slots.push_back({at, next, static_cast<double>(random() % 1000) / 1000 - 0.2});
      at = next;
    }
    CostModel model;
    model.price = Curve::from_slots(slots).value();
    const auto energy = static_cast<std::int64_t>(random() % 1'000'000'000'000'000);
    const UtcMs start = static_cast<UtcMs>(random() % 1'000'000);
    const UtcMs end = start + 1 + static_cast<UtcMs>(random() % 2'000'000);
    const Cost whole = cost_of(model, start, end, energy);
    CHECK(whole.energy_nj == energy);
    CHECK(whole.priced_nj == energy);
  }
}

TEST_CASE("slots out of order, empty or overlapping are refused") {
  CHECK_FALSE(Curve::from_slots({{10, 10, 1}}).has_value());
  CHECK_FALSE(Curve::from_slots({{10, 20, 1}, {15, 30, 1}}).has_value());
  CHECK_FALSE(Curve::from_slots({{0, 10, NAN}}).has_value());
  const Curve curve = Curve::from_slots({{10, 20, 1}, {30, 40, 2}}).value();
  CHECK_FALSE(curve.at(9).has_value());
  CHECK(curve.at(10) == 1);
  CHECK_FALSE(curve.at(20).has_value());
  CHECK(curve.at(39) == 2);
  CHECK(curve.next_change(0, 100) == 10);
  CHECK(curve.next_change(10, 15) == 15);
  CHECK(curve.next_change(20, 100) == 30);
  CHECK(curve.next_change(40, 100) == 100);
}

TEST_CASE("prices and masses are read with their units") {
  CHECK(parse_energy_price("0.12EUR/kWh")->value == doctest::Approx(0.12));
  CHECK(parse_energy_price("94.5 EUR / MWh")->value == doctest::Approx(0.0945));
  CHECK(parse_energy_price("94.5 Eur/MWh")->currency == "EUR");
  CHECK(parse_energy_price("12ct/kWh")->value == doctest::Approx(0.12));
  CHECK(parse_energy_price("-0.01$/kWh")->value == doctest::Approx(-0.01));
  CHECK(parse_energy_price("1e-1USD/kWh")->value == doctest::Approx(0.1));
  CHECK(parse_energy_price("0.12\u20ac/kWh")->currency == "EUR");
  CHECK(parse_carbon_intensity("400g/kWh").value() == doctest::Approx(400));
  CHECK(parse_carbon_intensity("0.4kgCO2e/kWh").value() == doctest::Approx(400));
  CHECK(parse_carbon_intensity("1000lb/MWh").value() == doctest::Approx(453.59237));
  CHECK(parse_carbon_price("80EUR/t")->value == doctest::Approx(0.08));
  CHECK(parse_carbon_price("0.05EUR/kg")->value == doctest::Approx(0.05));
  CHECK(parse_mass_g("1.2t").value() == doctest::Approx(1.2e6));
  for (const char* text :
       {"", "0.12", "EUR/kWh", "0.12EUR", "0.12/kWh", "0.12EUR/kW", "x0.12EUR/kWh", "0.12EURO/kWh",
        "nanEUR/kWh", "1e999EUR/kWh", "0.12EUR/kWh/h", "--1EUR/kWh"}) {
    CHECK_FALSE_MESSAGE(parse_energy_price(text).has_value(), text);
  }
  CHECK_FALSE(parse_carbon_intensity("-1g/kWh").has_value());
  CHECK_FALSE(parse_carbon_price("-1EUR/kg").has_value());
  CHECK_FALSE(parse_mass_g("5").has_value());
}

TEST_CASE("settings that cannot do what they say are refused") {
  CostModel model = flat();
  CHECK(check_cost_model(model).has_value());
  model.pue = 0.9;
  CHECK_FALSE(check_cost_model(model).has_value());
  model = flat();
  model.intensity = Curve();
  CHECK(check_cost_model(model).error().message.find("CARBON_INTENSITY") != std::string::npos);
  model = flat();
  model.platform_factor = -1;
  CHECK_FALSE(check_cost_model(model).has_value());
}
