// SPDX-License-Identifier: Apache-2.0
#include "render/figures.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace powertrace {

Totals sum_totals(const Snapshot& snapshot) {
  Totals totals;
  for (std::size_t i = 0; i < snapshot.zones.size(); ++i) {
    if (snapshot.zones[i].in_total) {
      totals.energy_nj += snapshot.zone_use[i].energy_nj;
      totals.idle_nj += snapshot.zone_use[i].idle_nj;
      totals.unattributed_nj += snapshot.zone_use[i].unattributed_nj;
    }
  }
  return totals;
}

double interval_seconds(const Snapshot& snapshot) {
  return std::max(static_cast<double>(snapshot.end_ns - snapshot.start_ns) / 1e9, 1e-9);
}

std::string source_note(const SourceInfo& source) {
  if (source.measured) {
    return source.name;
  }
  return fmt::format("{} (an estimate, ±{:.0f} %)", source.name, source.expected_error * 100);
}

std::string cost_note(const SelfCost& cost) {
  const std::string each = cost.bpf_ns_per_switch > 0
                               ? fmt::format(" at {:.0f} ns", cost.bpf_ns_per_switch)
                               : "";  // too few for one to have been timed
  return fmt::format(
      "watching took {:.3f} s of CPU time, {}, {:.1f} MB; {} switches{}, {} counter "
      "readings; lost {} slices and {} events, {} switches unseen",
      cost.cpu_seconds, format_joules(static_cast<double>(cost.energy_nj) / 1e9),
      static_cast<double>(cost.rss_bytes) / 1e6, cost.switches, each, cost.counter_reads,
      cost.lost_slices, cost.lost_events, cost.missed_switches);
}

std::string format_watts(double watts) {
  const double size = std::abs(watts);
  if (size < 9.9995) {
    return fmt::format("{:.3f}", watts);
  }
  if (size < 99.995) {
    return fmt::format("{:.2f}", watts);
  }
  if (size < 999.95) {
    return fmt::format("{:.1f}", watts);
  }
  return fmt::format("{:.0f}", watts);
}

std::string format_joules(double joules) {
  const double size = std::abs(joules);
  if (size >= 1e6) {
    return fmt::format("{:.2f} MJ", joules / 1e6);
  }
  if (size >= 1e3) {
    return fmt::format("{:.2f} kJ", joules / 1e3);
  }
  if (size >= 1 || size == 0) {
    return fmt::format("{:.2f} J", joules);
  }
  return fmt::format("{:.1f} mJ", joules * 1e3);
}

}  // namespace powertrace
