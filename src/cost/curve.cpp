// SPDX-License-Identifier: Apache-2.0
#include "cost/curve.hpp"

#include <algorithm>
#include <cmath>

namespace powertrace {
namespace {

// The slot that ends after `time`, whether it has begun or not.
auto slot_after(const std::vector<ValueSlot>& slots, UtcMs time) {
  return std::upper_bound(slots.begin(), slots.end(), time,
                          [](UtcMs instant, const ValueSlot& slot) { return instant < slot.end; });
}

}  // namespace

Curve Curve::constant(double value) {
  Curve curve;
  curve.constant_ = value;
  return curve;
}

Result<Curve> Curve::from_slots(std::vector<ValueSlot> slots) {
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const ValueSlot& slot = slots[i];
    if (slot.end <= slot.start || !std::isfinite(slot.value) ||
        (i > 0 && slot.start < slots[i - 1].end)) {
      return fail(ErrorCode::kMalformed,
                  "slot {} from {} to {} is empty, overlaps the one before or is no number", i + 1,
                  format_rfc3339(slot.start), format_rfc3339(slot.end));
    }
  }
  Curve curve;
  curve.slots_ = std::move(slots);
  return curve;
}

std::optional<double> Curve::at(UtcMs time) const {
  if (constant_) {
    return constant_;
  }
  const auto slot = slot_after(slots_, time);
  if (slot == slots_.end() || time < slot->start) {
    return std::nullopt;
  }
  return slot->value;
}

UtcMs Curve::next_change(UtcMs time, UtcMs limit) const {
  const auto slot = slot_after(slots_, time);
  if (slot == slots_.end()) {
    return limit;
  }
  return std::min(limit, time < slot->start ? slot->start : slot->end);
}

UtcMs Curve::resolution_ms() const {
  for (const UtcMs step : {kHourMs, 30 * kMinuteMs, 15 * kMinuteMs, 5 * kMinuteMs}) {
    if (std::all_of(slots_.begin(), slots_.end(), [step](const ValueSlot& slot) {
          return slot.start % step == 0 && slot.end % step == 0;
        })) {
      return step;
    }
  }
  return kMinuteMs;
}

}  // namespace powertrace
