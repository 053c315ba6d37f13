// SPDX-License-Identifier: Apache-2.0
//
// What a workload has used since powertrace started. Integers of nJ by kind of zone, so that the
// workloads of a level add up to the node exactly. Passive data.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "model/zone.hpp"

namespace powertrace {

inline constexpr std::size_t kZoneKinds = 7;
using KindEnergy = std::array<std::int64_t, kZoneKinds>;  // nJ, by ZoneKind

inline std::size_t kind_index(ZoneKind kind) {
  return static_cast<std::size_t>(kind);
}

inline KindEnergy& operator+=(KindEnergy& sum, const KindEnergy& more) {
  for (std::size_t kind = 0; kind < kZoneKinds; ++kind) {
    sum[kind] += more[kind];
  }
  return sum;
}

// The kinds that add up to the node: core and uncore are parts of package, psys and platform
// contain it.
inline std::int64_t total_nj(const KindEnergy& energy) {
  return energy[kind_index(ZoneKind::kPackage)] + energy[kind_index(ZoneKind::kDram)] +
         energy[kind_index(ZoneKind::kGpu)];
}

struct AccountTotals {
  KindEnergy energy_nj{};  // as attributed
  KindEnergy kepler_nj{};  // share of what Kepler >= 0.10 calls active energy
  KindEnergy idle_nj{};    // even share of the idle energy, as Kepler <= 0.9 divides it
  std::uint64_t run_ns = 0;
  double cycles = 0;
  double instructions = 0;

  AccountTotals& operator+=(const AccountTotals& more) {
    energy_nj += more.energy_nj;
    kepler_nj += more.kepler_nj;
    idle_nj += more.idle_nj;
    run_ns += more.run_ns;
    cycles += more.cycles;
    instructions += more.instructions;
    return *this;
  }
};

inline AccountTotals operator-(AccountTotals a, const AccountTotals& b) {
  for (std::size_t kind = 0; kind < kZoneKinds; ++kind) {
    a.energy_nj[kind] -= b.energy_nj[kind];
    a.kepler_nj[kind] -= b.kepler_nj[kind];
    a.idle_nj[kind] -= b.idle_nj[kind];
  }
  a.run_ns -= b.run_ns;
  a.cycles -= b.cycles;
  a.instructions -= b.instructions;
  return a;
}

// The totals, and what came last: for the gauges in watts.
struct AccountUsage {
  AccountTotals total;
  KindEnergy last_energy_nj{};
  KindEnergy last_kepler_nj{};
  std::uint64_t last_run_ns = 0;
  std::uint64_t sequence = 0;  // of the snapshot that last_* belongs to

  void add(const AccountTotals& more, std::uint64_t now_sequence) {
    if (sequence != now_sequence) {
      last_energy_nj = {};
      last_kepler_nj = {};
      last_run_ns = 0;
      sequence = now_sequence;
    }
    total += more;
    last_energy_nj += more.energy_nj;
    last_kepler_nj += more.kepler_nj;
    last_run_ns += more.run_ns;
  }
};

}  // namespace powertrace
