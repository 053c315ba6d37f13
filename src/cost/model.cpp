// SPDX-License-Identifier: Apache-2.0
#include "cost/model.hpp"

#include <algorithm>
#include <cmath>

#include "base/units.hpp"
#include "cost/units.hpp"

namespace powertrace {
namespace {}  // namespace

UtcMs CostModel::resolution_ms() const {
  return std::min(price.resolution_ms(), intensity.resolution_ms());
}

Cost& Cost::operator+=(const Cost& other) {
  energy_nj += other.energy_nj;
  priced_nj += other.priced_nj;
  intensity_nj += other.intensity_nj;
  electricity += other.electricity;
  carbon_g += other.carbon_g;
  carbon_cost += other.carbon_cost;
  embodied_g += other.embodied_g;
  return *this;
}

double facility_kwh(const CostModel& model, const Cost& cost) {
  return static_cast<double>(cost.energy_nj) / kNanojoulesPerKwh * model.facility_factor();
}

std::optional<double> mean_price(const CostModel& model, const Cost& cost) {
  const double kwh =
      static_cast<double>(cost.priced_nj) / kNanojoulesPerKwh * model.facility_factor();
  return kwh > 0 ? std::optional(cost.electricity / kwh) : std::nullopt;
}

std::optional<double> mean_intensity(const CostModel& model, const Cost& cost) {
  const double kwh =
      static_cast<double>(cost.intensity_nj) / kNanojoulesPerKwh * model.facility_factor();
  return kwh > 0 ? std::optional(cost.carbon_g / kwh) : std::nullopt;
}

Cost cost_of(const CostModel& model, UtcMs start, UtcMs end, std::int64_t energy_nj) {
  Cost cost;
  cost.energy_nj = energy_nj;
  std::int64_t before_nj = 0;  // used until `at`
  for (UtcMs at = start; at < end;) {
    const UtcMs next =
        std::min(model.price.next_change(at, end), model.intensity.next_change(at, end));
    const std::int64_t until_nj = share(energy_nj, next - start, end - start);
    const std::int64_t nj = until_nj - before_nj;
    const double kwh = static_cast<double>(nj) / kNanojoulesPerKwh * model.facility_factor();
    if (const auto price = model.price.at(at)) {
      cost.priced_nj += nj;
      cost.electricity += kwh * *price;
    }
    if (const auto intensity = model.intensity.at(at)) {
      cost.intensity_nj += nj;
      cost.carbon_g += kwh * *intensity;
    }
    before_nj = until_nj;
    at = next;
  }
  cost.carbon_cost = cost.carbon_g / 1e3 * model.carbon_price.value_or(0);
  return cost;
}

double embodied_g(const CostModel& model, double hours) {
  return model.embodied ? model.embodied->total_g * hours / model.embodied->lifetime_hours : 0;
}

Status check_cost_model(const CostModel& model) {
  PT_TRY(check_pue(model.pue));
  if (!std::isfinite(model.platform_factor) || model.platform_factor < 1 ||
      model.platform_factor > 100) {
    return fail(ErrorCode::kUsage,
                "{} is not a platform factor: it is the machine's energy over what is measured of "
                "it, 1 or more",
                model.platform_factor);
  }
  if (model.carbon_price && model.intensity.empty()) {
    return fail(ErrorCode::kUsage,
                "there is a price of carbon but no carbon intensity, so its cost is unknown: give "
                "the grid's grams per kWh too (--carbon 400g/kWh or CARBON_INTENSITY=400)");
  }
  if (model.embodied &&
      (!(model.embodied->total_g >= 0) || !(model.embodied->lifetime_hours >= 1))) {
    return fail(ErrorCode::kUsage,
                "embodied carbon needs a lifetime of the machine of 1 h or more");
  }
  return {};
}

}  // namespace powertrace
