// SPDX-License-Identifier: Apache-2.0
//
// Figures that every renderer needs, computed in one place. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "model/snapshot.hpp"
#include "render/text.hpp"

namespace powertrace {

// Sums over the zones that count (in_total).
struct Totals {
  std::int64_t energy_nj = 0;
  std::int64_t idle_nj = 0;
  std::int64_t unattributed_nj = 0;
};
Totals sum_totals(const Snapshot& snapshot);

// Length of the interval; never 0, so that it can be divided by.
double interval_seconds(const Snapshot& snapshot);

// "powercap", or "synthetic (an estimate, ±6 %)": an estimate never passes for a measurement.
std::string source_note(const SourceInfo& source);

// One sentence, without a full stop.
std::string cost_note(const SelfCost& cost);

// Four significant figures at most and never more than six characters: "0.004", "12.35", "1234".
std::string format_watts(double watts);
// "12.3 J", "4.56 kJ", "789 mJ"
std::string format_joules(double joules);

}  // namespace powertrace
