// SPDX-License-Identifier: Apache-2.0
#include "render/json.hpp"

#include <cmath>
#include <cstring>

#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "base/units.hpp"
#include "render/figures.hpp"

namespace powertrace {
namespace {

using Json = nlohmann::ordered_json;

// Derived figures need no more digits than they have meaning; joules are never rounded.
double rounded(double value, double unit) {
  return std::round(value / unit) * unit;
}
double milli(double value) {
  return std::round(value * 1e3) / 1e3;
}
double micro(double value) {
  return std::round(value * 1e6) / 1e6;
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json zones_json(const Snapshot& snapshot) {
  Json zones = Json::array();
  for (std::size_t i = 0; i < snapshot.zones.size(); ++i) {
    const Zone& zone = snapshot.zones[i];
    const LedgerZone& use = snapshot.zone_use[i];
    const double seconds = static_cast<double>(use.duration_ns) / 1e9;
    Json entry{
        {"zone", zone.name},
        {"kind", zone_kind_name(zone.kind)},
        {"joules", joules(use.energy_nj)},
        {"watts", seconds > 0 ? Json(milli(joules(use.energy_nj) / seconds)) : Json(nullptr)},
        {"in_total", zone.in_total},
        {"status", zone_status_name(use.status)}};
    if (use.sys_errno != 0) {
      entry["error"] = std::strerror(use.sys_errno);
    }
    zones.push_back(std::move(entry));
  }
  return zones;
}

Json total_json(const Snapshot& snapshot) {
  const Totals totals = sum_totals(snapshot);
  return {{"joules", joules(totals.energy_nj)},
          {"watts", milli(joules(totals.energy_nj) / interval_seconds(snapshot))},
          {"attributed", joules(totals.energy_nj - totals.idle_nj - totals.unattributed_nj)},
          {"idle", joules(totals.idle_nj)},
          {"unattributed", joules(totals.unattributed_nj)}};
}

Json row_zones_json(const Snapshot& snapshot, const Row& row) {
  Json zones = Json::object();
  for (std::size_t i = 0; i < snapshot.zones.size(); ++i) {
    Json& sum = zones[std::string(zone_kind_name(snapshot.zones[i].kind))];
    sum = (sum.is_null() ? 0 : sum.get<std::int64_t>()) + row.zone_nj[i];
  }
  for (auto& [kind, sum] : zones.items()) {
    sum = joules(sum.get<std::int64_t>());
  }
  return zones;
}

std::string pod_uid(const Row& row) {
  if (row.pod) {
    return row.pod->uid;
  }
  return row.container ? row.container->pod_uid : "";
}

// Its name, else its uid, which the cgroup path tells.
std::string pod_text(const Row& row) {
  if (row.pod && !row.pod->name.empty()) {
    return row.pod->name;
  }
  return pod_uid(row);
}

Json owner_json(const Row& row) {
  return row.pod && !row.pod->owner_name.empty()
             ? Json(row.pod->owner_kind + "/" + row.pod->owner_name)
             : Json(nullptr);
}

Json row_json(const Snapshot& snapshot, const Row& row, double seconds, double total_nj) {
  const bool counted = snapshot.counters_on && row.run_ns > 0;
  const bool runs = row.kind != RowKind::kIdle && row.kind != RowKind::kUnattributed;
  return {
      {"kind", row_kind_name(row)},
      {"id", row.id},
      {"pid", row.pid != 0 ? Json(row.pid) : Json(nullptr)},
      {"tid", row.tid != 0 ? Json(row.tid) : Json(nullptr)},
      {"comm", text_or_null(runs ? row.name : "")},
      {"exe", text_or_null(row.process ? row.process->exe : "")},
      {"cgroup", text_or_null(row.cgroup ? row.cgroup->path : "")},
      {"container_id", text_or_null(row.container ? row.container->id : "")},
      {"container", text_or_null(row.container ? row.container->name : "")},
      {"runtime", text_or_null(row.container ? row.container->runtime : "")},
      {"pod", text_or_null(pod_text(row))},
      {"pod_uid", text_or_null(pod_uid(row))},
      {"namespace", text_or_null(row.pod ? row.pod->name_space : "")},
      {"owner", owner_json(row)},
      {"vm", text_or_null(row.vm ? row.vm->id : "")},
      {"joules", joules(row.energy_nj)},
      {"watts", micro(joules(row.energy_nj) / seconds)},
      {"plus_minus_watts", micro(row.plus_minus_nj / 1e9 / seconds)},
      {"cpu_seconds", static_cast<double>(row.run_ns) / 1e9},
      {"cycles", counted ? Json(std::round(row.cycles)) : Json(nullptr)},
      {"instructions",
       counted && snapshot.instructions_on ? Json(std::round(row.instructions)) : Json(nullptr)},
      {"counted_share",
       counted ? Json(rounded(static_cast<double>(row.counted_ns) / static_cast<double>(row.run_ns),
                              1e-4))
               : Json(nullptr)},
      {"share",
       total_nj > 0 ? Json(micro(static_cast<double>(row.energy_nj) / total_nj)) : Json(nullptr)},
      {"state", runs ? Json(row.terminated ? "terminated" : "running") : Json(nullptr)},
      {"zones", row_zones_json(snapshot, row)}};
}

Json self_json(const SelfCost& self) {
  return {{"cpu_seconds", micro(self.cpu_seconds)},
          {"rss_bytes", self.rss_bytes},
          {"bpf_ns_per_switch", rounded(self.bpf_ns_per_switch, 0.1)},
          {"switches", self.switches},
          {"counter_reads", self.counter_reads},
          {"lost",
           {{"slots", self.lost_slices},
            {"events", self.lost_events},
            {"switches", self.missed_switches}}},
          {"joules", joules(self.energy_nj)}};
}

}  // namespace

std::string_view row_kind_name(const Row& row) {
  switch (row.kind) {
    case RowKind::kWorkload:
      return level_name(row.level);
    case RowKind::kIdle:
      return "idle";
    case RowKind::kKernel:
      return "kernel";
    case RowKind::kPowertrace:
      return "powertrace";
    case RowKind::kOther:
      return "others";
    case RowKind::kUnattributed:
      return "unattributed";
  }
  return "";
}

std::string snapshot_json(const Snapshot& snapshot, std::span<const Row> rows) {
  const double seconds = interval_seconds(snapshot);
  const auto total_nj = static_cast<double>(sum_totals(snapshot).energy_nj);
  Json json{{"schema", "powertrace.snapshot/1"},
            {"time", format_utc(snapshot.realtime_ns)},
            {"duration_s", static_cast<double>(snapshot.end_ns - snapshot.start_ns) / 1e9},
            {"source",
             {{"name", snapshot.source.name},
              {"measured", snapshot.source.measured},
              {"expected_error", snapshot.source.expected_error}}},
            {"model", model_name(snapshot.model)},
            {"idle_policy", idle_policy_name(snapshot.idle)},
            {"idle_known", snapshot.idle_known},
            {"windows", snapshot.windows},
            {"zones", zones_json(snapshot)},
            {"total", total_json(snapshot)}};
  Json& list = json["rows"] = Json::array();
  for (const Row& row : rows) {
    list.push_back(row_json(snapshot, row, seconds, total_nj));
  }
  json["self"] = self_json(snapshot.self);
  // Names come from other people's processes: bytes that are not UTF-8 must not end the stream.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace powertrace
