// SPDX-License-Identifier: Apache-2.0
#include "capping/simulate.hpp"

#include <algorithm>

namespace powertrace {
namespace {

constexpr std::int64_t kStepS = 30;
constexpr double kSecondsPerHour = 3600;
constexpr std::int64_t kMaxS = 370 * 86'400LL;

void charge(const Series* series,
            std::int64_t at_s,
            double flat_kwh,
            double kwh,
            double scale,
            std::optional<double>& flat,
            std::optional<double>& actual) {
  const Slot* slot = series == nullptr ? nullptr : series->at(at_s);
  if (slot != nullptr) {
    flat = flat.value_or(0) + flat_kwh * slot->value * scale;
    actual = actual.value_or(0) + kwh * slot->value * scale;
  }
}

// The slot that `at_s` is in, or the hour.
Slot slot_at(const Series* series, std::int64_t at_s) {
  const Slot* slot = series == nullptr ? nullptr : series->at(at_s);
  const std::int64_t hour_s = at_s - at_s % 3600;
  return slot == nullptr ? Slot{hour_s, hour_s + 3600, 0} : *slot;
}

}  // namespace

Result<Simulation> simulate(const SimulationInput& input) {
  if (input.to_s <= input.from_s || input.to_s - input.from_s > kMaxS) {
    return fail(ErrorCode::kUsage, "the simulated time must end after it begins, within a year");
  }
  PT_ASSIGN(Controller controller, Controller::create(input.config));
  Simulation result;
  result.least_w = input.config.range.ceiling_w;
  bool any = false;
  double slot_wh = 0;
  double slot_s = 0;
  for (std::int64_t at_s = input.from_s; at_s < input.to_s; at_s += kStepS) {
    const ControlStep step = controller.step(static_cast<double>(at_s), input.followed);
    const bool known = step.phase == CapPhase::kFollowing;
    any = any || known;
    const double watts = std::min(step.applied_w, input.config.range.ceiling_w);
    const double length_s = static_cast<double>(std::min(kStepS, input.to_s - at_s));
    const double kwh = watts * length_s / kSecondsPerHour / 1000;
    const double flat_kwh = input.config.range.ceiling_w * length_s / kSecondsPerHour / 1000;
    result.kwh += kwh;
    result.flat_kwh += flat_kwh;
    result.least_w = std::min(result.least_w, watts);
    charge(input.price, at_s, flat_kwh, kwh, 1, result.flat_cost, result.cost);
    charge(input.carbon, at_s, flat_kwh, kwh, 0.001, result.flat_kg, result.kg);

    const Slot slot = slot_at(input.followed, at_s);
    if (result.slots.empty() || result.slots.back().slot.start_s != slot.start_s) {
      result.slots.push_back({slot, 0, known});
      slot_wh = 0;
      slot_s = 0;
    }
    slot_wh += watts * length_s;
    slot_s += length_s;
    result.slots.back().watts = slot_wh / slot_s;
  }
  if (!any) {
    return fail(ErrorCode::kNotFound, "there is no data for the policy in this time");
  }
  result.hours = static_cast<double>(input.to_s - input.from_s) / kSecondsPerHour;
  result.mean_w = result.kwh * 1000 / result.hours;
  return result;
}

}  // namespace powertrace
