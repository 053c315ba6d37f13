// SPDX-License-Identifier: Apache-2.0
//
// Energy as money and CO2e. facility energy = PUE x platform factor x measured energy; each slot's
// energy meets that slot's price and carbon intensity; a carbon price turns CO2e into money.
// Energy stays in integer nJ, so parts of it add up exactly; costs are sums over slots, so parts of
// them do too (to the rounding of a double). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "base/wall_time.hpp"
#include "cost/curve.hpp"

namespace powertrace {

// What making the machine emitted, spread over its life (SCI: TE / EL).
struct Embodied {
  double total_g = 0;
  double lifetime_hours = 0;
};

struct CostModel {
  double pue = 1;              // facility energy / IT energy
  double platform_factor = 1;  // IT energy / measured energy: power supplies, fans, disks
  Curve price;                 // per kWh; known nowhere: no electricity cost
  std::string currency;        // of both prices; empty: there is none
  std::string price_source;    // where the price comes from, for people
  Curve intensity;             // operational, g/kWh
  std::string carbon_basis;    // "average" or "marginal": never added to each other
  std::string carbon_source;
  std::optional<double> carbon_price;  // per kg
  std::optional<Embodied> embodied;

  [[nodiscard]] double facility_factor() const { return pue * platform_factor; }
  // What the energy has to be known at, so that each slot's energy meets its own price.
  [[nodiscard]] UtcMs resolution_ms() const;
};

// Of one piece of energy or of a sum of them.
struct Cost {
  std::int64_t energy_nj = 0;     // as measured
  std::int64_t priced_nj = 0;     // the part of it whose price is known
  std::int64_t intensity_nj = 0;  // the part of it whose carbon intensity is known
  double electricity = 0;         // of the facility energy
  double carbon_g = 0;            // operational, of the facility energy
  double carbon_cost = 0;
  double embodied_g = 0;

  Cost& operator+=(const Cost& other);
  [[nodiscard]] double total() const { return electricity + carbon_cost; }
};

double facility_kwh(const CostModel& model, const Cost& cost);

// Energy-weighted mean of what was paid per kWh of the facility; nullopt: nothing had a price.
std::optional<double> mean_price(const CostModel& model, const Cost& cost);
std::optional<double> mean_intensity(const CostModel& model, const Cost& cost);

// The cost of energy used evenly over [start, end). A piece that crosses a slot's border is divided
// by time, in whole nJ, nothing lost.
Cost cost_of(const CostModel& model, UtcMs start, UtcMs end, std::int64_t energy_nj);

// The embodied share of `hours` of the whole machine.
double embodied_g(const CostModel& model, double hours);

// "There is a carbon price but no intensity" and other settings that cannot do what they say.
Status check_cost_model(const CostModel& model);

}  // namespace powertrace
