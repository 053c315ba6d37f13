// SPDX-License-Identifier: Apache-2.0
#include "cost/settings.hpp"

#include <map>

#include <doctest/doctest.h>

using namespace powertrace;

namespace {

Environment environment(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const char* name) -> std::optional<std::string> {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
}

}  // namespace

TEST_CASE("the original's names give the right cost, with warnings") {
  CostSettings settings;
  std::vector<std::string> warnings;
  REQUIRE(fill_from_environment(settings,
                                environment({{"ELECTRICITY_RATE", "0.12"},
                                             {"COOLING_FACTOR", "1.3"},
                                             {"CARBON_RATE", "0.05"},
                                             {"CARBON_INTENSITY", "400"}}),
                                warnings)
              .has_value());
  CHECK(warnings.size() == 3);
  const CostModel model = make_cost_model(settings).value();
  CHECK(check_cost_model(model).has_value());
  const Cost cost = cost_of(model, 0, kHourMs, 360'000'000'000'000);
  CHECK(cost.total() == doctest::Approx(0.0182).epsilon(1e-12));
  CHECK(model.currency == "USD");
}

TEST_CASE("a cooling factor below 1 is the overhead alone") {
  CostSettings settings;
  std::vector<std::string> warnings;
  REQUIRE(fill_from_environment(settings, environment({{"COOLING_FACTOR", "0.3"}}), warnings));
  CHECK(make_cost_model(settings)->pue == doctest::Approx(1.3));
  CHECK_FALSE(
      fill_from_environment(settings = {}, environment({{"COOLING_FACTOR", "-1"}}), warnings));
}

TEST_CASE("a carbon rate without an intensity costs nothing, and says why") {
  CostSettings settings;
  std::vector<std::string> warnings;
  REQUIRE(fill_from_environment(settings, environment({{"CARBON_RATE", "0.05"}}), warnings));
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("CARBON_INTENSITY") != std::string::npos);
  CHECK(settings.carbon_price.empty());
}

TEST_CASE("options win over the environment") {
  CostSettings settings;
  settings.price = "0.30EUR/kWh";
  settings.pue = "1.1";
  std::vector<std::string> warnings;
  REQUIRE(fill_from_environment(
      settings, environment({{"ELECTRICITY_RATE", "0.12"}, {"COOLING_FACTOR", "1.3"}}), warnings));
  CHECK(warnings.empty());
  CHECK(make_cost_model(settings)->price.at(0) == 0.30);
}

TEST_CASE("bad settings name their option") {
  const auto message = [](const CostSettings& settings) {
    const auto model = make_cost_model(settings);
    const Status status = model ? check_cost_model(*model) : tl::make_unexpected(model.error());
    return status ? std::string() : status.error().message;
  };
  CHECK(message({.price = "cheap"}).find("--price") == 0);
  CHECK(message({.pue = "-1.3"}).find("--pue") == 0);
  CHECK(message({.price = "1EUR/kWh", .carbon_price = "1USD/kg"}).find("EUR") != std::string::npos);
  CHECK(message({.carbon_price = "1USD/kg"}).find("intensity") != std::string::npos);
  CHECK(message({.carbon_basis = "mean"}).find("--carbon-basis") == 0);
  CHECK(message({.embodied = "1t"}).find("--lifetime") != std::string::npos);
  CHECK(message({}).empty());
}
