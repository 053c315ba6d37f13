// SPDX-License-Identifier: Apache-2.0
#include "report/rows.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "render/figures.hpp"
#include "render/json.hpp"

namespace powertrace::report {
namespace {

void fold_into(Row& others, const Row& row) {
  others.tasks += row.tasks;
  others.energy_nj += row.energy_nj;
  others.run_ns += row.run_ns;
  others.counted_ns += row.counted_ns;
  others.switches += row.switches;
  others.cycles += row.cycles;
  others.instructions += row.instructions;
  others.plus_minus_nj = std::hypot(others.plus_minus_nj, row.plus_minus_nj);
  for (std::size_t zone = 0; zone < others.zone_nj.size(); ++zone) {
    others.zone_nj[zone] += row.zone_nj[zone];
  }
}

// Nanojoules as joules, exactly.
std::string joules(std::int64_t nj) {
  return fmt::format("{}.{:09}", nj / 1'000'000'000, nj % 1'000'000'000);
}

}  // namespace

void keep_top(std::vector<Row>& rows, std::size_t count) {
  if (count == 0) {
    return;
  }
  std::size_t kept = 0;
  Row others;
  std::vector<Row> result;
  bool folded = false;
  for (Row& row : rows) {
    const bool other = row.kind == RowKind::kOther;
    if (!other && (row.kind != RowKind::kWorkload || kept++ < count)) {
      result.push_back(std::move(row));
      continue;
    }
    if (!folded) {
      folded = true;
      others.kind = RowKind::kOther;
      others.level = row.level;
      others.id = others.name = "[others]";
      others.zone_nj.assign(row.zone_nj.size(), 0);
    }
    fold_into(others, row);
  }
  if (folded) {
    result.push_back(std::move(others));
  }
  rows = std::move(result);
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of("\",\r\n") == std::string_view::npos) {
    return std::string(text);
  }
  std::string quoted = "\"";
  for (const char c : text) {
    quoted += c;
    if (c == '"') {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::string rows_csv(const Snapshot& snapshot, std::span<const Row> rows) {
  const double seconds = interval_seconds(snapshot);
  const auto total_nj = static_cast<double>(sum_totals(snapshot).energy_nj);
  std::string out =
      "kind,id,pid,tid,comm,exe,cgroup,container_id,pod,joules,watts,plus_minus_watts,cpu_seconds,"
      "cycles,instructions,share,state";
  for (const Zone& zone : snapshot.zones) {
    out += "," + csv_field(zone.name + "_joules");
  }
  out += "\n";
  for (const Row& row : rows) {
    const bool runs = row.kind != RowKind::kIdle && row.kind != RowKind::kUnattributed;
    const bool counted = snapshot.counters_on && row.run_ns > 0;
    const auto number = [](std::uint32_t value) { return value != 0 ? std::to_string(value) : ""; };
    out += fmt::format(
        "{},{},{},{},{},{},{},{},{},{},{:.6f},{:.6f},{:.9f},{},{},{},{}", row_kind_name(row),
        csv_field(row.id), number(row.pid), number(row.tid), csv_field(runs ? row.name : ""),
        csv_field(row.process ? row.process->exe : ""),
        csv_field(row.cgroup ? row.cgroup->path : ""),
        csv_field(row.container ? row.container->id : ""),
        csv_field(row.container ? row.container->pod_uid : ""), joules(row.energy_nj),
        static_cast<double>(row.energy_nj) / 1e9 / seconds, row.plus_minus_nj / 1e9 / seconds,
        static_cast<double>(row.run_ns) / 1e9, counted ? fmt::format("{:.0f}", row.cycles) : "",
        counted && snapshot.instructions_on ? fmt::format("{:.0f}", row.instructions) : "",
        total_nj > 0 ? fmt::format("{:.6f}", static_cast<double>(row.energy_nj) / total_nj) : "",
        runs ? (row.terminated ? "terminated" : "running") : "");
    for (const std::int64_t zone_nj : row.zone_nj) {
      out += "," + joules(zone_nj);
    }
    out += "\n";
  }
  return out;
}

}  // namespace powertrace::report
