// SPDX-License-Identifier: Apache-2.0
//
// A value over time: a constant, or half-open slots [start, end) with gaps where nothing is known.
// Prices per kWh and grams per kWh are such curves. Immutable; pure.
#pragma once

#include <optional>
#include <vector>

#include "base/result.hpp"
#include "base/wall_time.hpp"

namespace powertrace {

struct ValueSlot {
  UtcMs start = 0;
  UtcMs end = 0;
  double value = 0;
};

class Curve {
 public:
  Curve() = default;  // known nowhere
  static Curve constant(double value);
  // kMalformed for slots that are empty, out of order or overlapping.
  static Result<Curve> from_slots(std::vector<ValueSlot> slots);

  [[nodiscard]] bool empty() const { return !constant_ && slots_.empty(); }
  [[nodiscard]] std::optional<double> at(UtcMs time) const;

  // The first instant after `time` at which the value may change; `limit` if there is none before.
  [[nodiscard]] UtcMs next_change(UtcMs time, UtcMs limit) const;

  // The largest of 1 h, 30, 15, 5 and 1 min at whose multiples every slot begins and ends: energy
  // that is known at this resolution meets its own price. 1 h for a constant.
  [[nodiscard]] UtcMs resolution_ms() const;

 private:
  std::optional<double> constant_;
  std::vector<ValueSlot> slots_;
};

}  // namespace powertrace
