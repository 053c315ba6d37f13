// SPDX-License-Identifier: Apache-2.0
#include "render/table.hpp"

#include <fmt/format.h>

#include "base/clock.hpp"
#include "render/figures.hpp"
#include "render/text.hpp"

namespace powertrace {
namespace {

std::string zone_line(const Snapshot& snapshot) {
  std::string line;
  for (std::size_t i = 0; i < snapshot.zones.size(); ++i) {
    const LedgerZone& use = snapshot.zone_use[i];
    line += line.empty() ? "" : "  ";
    if (use.duration_ns == 0) {
      line += fmt::format("{} {}", snapshot.zones[i].name, zone_status_name(use.status));
      continue;
    }
    line += fmt::format(
        "{} {} W", snapshot.zones[i].name,
        format_watts(static_cast<double>(use.energy_nj) / static_cast<double>(use.duration_ns)));
  }
  return line;
}

std::string row_command(const Row& row) {
  if (row.kind != RowKind::kWorkload) {
    return row.name;
  }
  if (row.level == Level::kProcess && row.process && !row.process->cmdline.empty()) {
    return printable(row.process->cmdline);
  }
  return printable(row.name);
}

}  // namespace

std::string snapshot_table(const Snapshot& snapshot, std::span<const Row> rows, std::size_t width) {
  const double seconds = interval_seconds(snapshot);
  const Totals totals = sum_totals(snapshot);
  std::string out;
  const auto add = [&](const std::string& line) {
    out += (width == 0 ? line : cut_columns(line, width)) + "\n";
  };

  add(fmt::format("{}  {:.2f} s  {} W  source {}  model {}  idle {}{}",
                  format_utc(snapshot.realtime_ns), seconds,
                  format_watts(static_cast<double>(totals.energy_nj) / 1e9 / seconds),
                  source_note(snapshot.source), model_name(snapshot.model),
                  idle_policy_name(snapshot.idle), snapshot.idle_known ? "" : " (not known yet)"));
  add(zone_line(snapshot));
  add(fmt::format("{:>8} {:>8} {:>7} {:>10} {:>7} {:>6}  {}", "PID", "WATTS", "±", "JOULES", "CPU%",
                  "SHARE", "COMMAND"));
  for (const Row& row : rows) {
    const auto row_joules = static_cast<double>(row.energy_nj) / 1e9;
    add(fmt::format(
        "{:>8} {:>8} {:>7} {:>10.6f} {:>7.2f} {:>5.1f}%  {}{}",
        row.tid != 0   ? std::to_string(row.tid)
        : row.pid != 0 ? std::to_string(row.pid)
                       : "-",
        format_watts(row_joules / seconds), format_watts(row.plus_minus_nj / 1e9 / seconds),
        row_joules, static_cast<double>(row.run_ns) / 1e7 / seconds,
        totals.energy_nj > 0
            ? 100.0 * static_cast<double>(row.energy_nj) / static_cast<double>(totals.energy_nj)
            : 0.0,
        row_command(row), row.terminated ? " (ended)" : ""));
  }
  return out;
}

}  // namespace powertrace
