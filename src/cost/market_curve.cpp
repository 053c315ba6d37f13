// SPDX-License-Identifier: Apache-2.0
#include "cost/market_curve.hpp"

#include <utility>

#include "cost/settings.hpp"

namespace powertrace {
namespace {

Result<Curve> curve_of(const Series& series) {
  std::vector<ValueSlot> slots;
  for (const Slot& slot : series.slots) {
    slots.push_back({slot.start_s * 1000, slot.end_s * 1000, slot.value});
  }
  return Curve::from_slots(std::move(slots));
}

std::string source_of(const SeriesInfo& info) {
  return info.source + (info.area.empty() ? "" : " " + info.area);
}

}  // namespace

Status use_price(CostModel& model, const Series& series) {
  PT_TRY(set_currency(model, series.info.currency, "the market's price"));
  PT_ASSIGN(model.price, curve_of(series));
  model.price_source = source_of(series.info);
  return {};
}

Status use_intensity(CostModel& model, const Series& series) {
  PT_ASSIGN(model.intensity, curve_of(series));
  model.carbon_source = source_of(series.info);
  model.carbon_basis = series.info.basis == CarbonBasis::kMarginal ? "marginal" : "average";
  return {};
}

}  // namespace powertrace
