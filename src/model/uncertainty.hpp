// SPDX-License-Identifier: Apache-2.0
//
// The ± of an energy, one standard deviation, from what is known of its causes: when the counters
// were read, whose counter rates were guessed, what the source is worth. One place, so that no two
// outputs disagree. Pure.
#pragma once

#include <cstdint>

#include "model/ledger.hpp"
#include "model/zone.hpp"

namespace powertrace {

// Variance of `energy_nj`, a part of the zone's energy, from the edges of the interval: a counter
// shows the energy up to its last update, not up to the read. 0 for an estimate, which has none.
double jitter_variance_nj2(const Zone& zone, const LedgerZone& use, std::int64_t energy_nj);

// Adds the source's relative error, which is the same for all zones and windows and so does not
// average out, to the variance of everything that is independent.
double energy_sigma_nj(std::int64_t energy_nj, double variance_nj2, double expected_error);

}  // namespace powertrace
