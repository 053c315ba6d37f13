// SPDX-License-Identifier: Apache-2.0
//
// What a steady power costs over some hours: the cost model by hand. Pure.
#pragma once

#include <string>

#include "base/result.hpp"
#include "cost/model.hpp"

namespace powertrace {

struct Estimate {
  double watts = 0;
  double hours = 0;
  Cost cost;
};

// From now on where prices or intensities change by slot. kUsage for negative or absurd figures.
Result<Estimate> estimate_cost(const CostModel& model, double watts, double hours, UtcMs start);

// One line: energy_kwh is the facility's, as it is billed; it_energy_kwh what the machine used.
// Amounts that the settings do not give are null.
std::string estimate_json(const CostModel& model, const Estimate& estimate);
std::string estimate_text(const CostModel& model, const Estimate& estimate);

}  // namespace powertrace
