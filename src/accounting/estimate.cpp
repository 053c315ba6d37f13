// SPDX-License-Identifier: Apache-2.0
#include "accounting/estimate.hpp"

#include <cmath>

#include "accounting/figures.hpp"
#include "accounting/json.hpp"
#include "cost/units.hpp"

namespace powertrace {
namespace {

double it_kwh(const Estimate& estimate) {
  return estimate.watts * estimate.hours / 1e3;
}

}  // namespace

Result<Estimate> estimate_cost(const CostModel& model, double watts, double hours, UtcMs start) {
  if (!std::isfinite(watts) || watts < 0 || watts > 1e9) {
    return fail(ErrorCode::kUsage, "--watts: {} is not a power: give watts, 0 or more", watts);
  }
  if (!std::isfinite(hours) || hours <= 0 || hours > 1e6) {
    return fail(ErrorCode::kUsage, "--hours: {} is not a time: give hours, more than 0", hours);
  }
  if (watts * hours > 2e9) {
    return fail(ErrorCode::kUsage, "{} W over {} h is more energy than can be counted here", watts,
                hours);
  }
  PT_TRY(check_cost_model(model));
  Estimate estimate{watts, hours, {}};
  const auto length = std::max<UtcMs>(1, std::llround(hours * static_cast<double>(kHourMs)));
  estimate.cost =
      cost_of(model, start, start + length, std::llround(it_kwh(estimate) * kNanojoulesPerKwh));
  estimate.cost.embodied_g = embodied_g(model, hours);
  return estimate;
}

std::string estimate_json(const CostModel& model, const Estimate& estimate) {
  const Cost& cost = estimate.cost;
  const auto known = [](bool is_known, double value) {
    return is_known ? Json(decimals(value)) : Json(nullptr);
  };
  const bool carbon_known = !model.intensity.empty();
  const Json json{{"energy_kwh", decimals(facility_kwh(model, cost))},
                  {"it_energy_kwh", decimals(it_kwh(estimate))},
                  {"pue", model.pue},
                  {"electricity", known(!model.price.empty(), cost.electricity)},
                  {"carbon_g", known(carbon_known, cost.carbon_g)},
                  {"carbon_cost", known(model.carbon_price.has_value(), cost.carbon_cost)},
                  {"embodied_g", known(model.embodied.has_value(), cost.embodied_g)},
                  {"total", known(!model.currency.empty(), cost.total())},
                  {"currency", model.currency.empty() ? Json(nullptr) : Json(model.currency)}};
  return dump(json);
}

std::string estimate_text(const CostModel& model, const Estimate& estimate) {
  const Cost& cost = estimate.cost;
  std::string text = fmt::format("{:<13}{:.6g} kWh ({:.6g} kWh of the machine, PUE {:g})\n",
                                 "energy", facility_kwh(model, cost), it_kwh(estimate), model.pue);
  const auto line = [&](const char* name, const std::string& value) {
    text += fmt::format("{:<13}{}\n", name, value);
  };
  if (!model.price.empty()) {
    line("electricity", format_money(cost.electricity, model.currency));
  }
  if (!model.intensity.empty()) {
    line("CO2e", format_grams(cost.carbon_g));
  }
  if (model.embodied) {
    line("embodied", format_grams(cost.embodied_g));
  }
  if (model.carbon_price) {
    line("carbon cost", format_money(cost.carbon_cost, model.currency));
  }
  if (!model.currency.empty()) {
    line("total", format_money(cost.total(), model.currency));
  }
  return text;
}

}  // namespace powertrace
