// SPDX-License-Identifier: Apache-2.0
//
// A policy over past data, beside a node that runs flat at its ceiling: what would have been
// capped, saved and emitted. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "capping/controller.hpp"
#include "market/series.hpp"

namespace powertrace {

struct SimulatedSlot {
  Slot slot;          // of the policy's series, or an hour of a schedule
  double watts = 0;   // mean of the limit
  bool known = true;  // false: no data; the node was free
};

struct Simulation {
  std::vector<SimulatedSlot> slots;
  double hours = 0;
  double flat_kwh = 0;
  double kwh = 0;
  double least_w = 0;
  double mean_w = 0;
  // Where there are prices or intensities for a part of the time, only that part counts.
  std::optional<double> flat_cost;
  std::optional<double> cost;
  std::optional<double> flat_kg;
  std::optional<double> kg;
};

struct SimulationInput {
  ControllerConfig config;
  const Series* followed = nullptr;  // by the policy; null for a schedule
  const Series* price = nullptr;     // null: no cost
  const Series* carbon = nullptr;    // null: no emissions
  std::int64_t from_s = 0;
  std::int64_t to_s = 0;
};

// kNotFound if the policy has no data at all for the time.
Result<Simulation> simulate(const SimulationInput& input);

}  // namespace powertrace
