// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstring>

#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "base/units.hpp"
#include "render/stat.hpp"
#include "render/stat_figures.hpp"

namespace powertrace {
namespace {

using Json = nlohmann::ordered_json;

// Counts and joules of whole nJ need no exponent and no rounding.
Json number_or_null(std::optional<double> value) {
  constexpr double kExact = 9007199254740992;  // 2^53
  if (!value) {
    return nullptr;
  }
  const auto whole = static_cast<std::int64_t>(std::abs(*value) < kExact ? *value : 0);
  return static_cast<double>(whole) == *value ? Json(whole) : Json(*value);
}

Json zone_json(const Zone& zone, const StatZone& use) {
  Json json{{"zone", zone.name},
            {"kind", zone_kind_name(zone.kind)},
            {"measured", zone.measured},
            {"in_total", zone.in_total},
            {"joules", joules(use.command.nj)},
            {"plus_minus_joules", use.command.sigma_nj / 1e9},
            {"idle_joules", joules(use.idle.nj)},
            {"machine_joules", joules(use.machine.nj)},
            {"plus_minus_machine_joules", use.machine.sigma_nj / 1e9},
            {"read_s", static_cast<double>(use.duration_ns) / 1e9},
            {"status", zone_status_name(use.status)}};
  if (use.sys_errno != 0) {
    json["error"] = std::strerror(use.sys_errno);
  }
  return json;
}

Json run_json(const StatReport& report, const StatRun& run) {
  Json json = Json::object();
  for (const StatFigure& figure : stat_figures()) {
    json[figure.name] = number_or_null(figure.value(run));
  }
  json["interval_s"] = static_cast<double>(run.interval_ns) / 1e9;
  json["windows"] = run.windows;
  json["exit_status"] = run.exit_status;
  json["signal"] = run.signal != 0 ? Json(run.signal) : Json(nullptr);
  json["lost"] = {{"slots", run.lost_slices}, {"events", run.lost_events}};
  Json& zones = json["zones"] = Json::array();
  for (std::size_t z = 0; z < report.zones.size(); ++z) {
    zones.push_back(zone_json(report.zones[z], run.zones[z]));
  }
  return json;
}

// One number of every figure's spread.
template <typename Part>
Json spread_json(const StatReport& report, const Part& part) {
  const auto number = [&](const StatValue& value) {
    const std::optional<StatSpread> over = spread(report.runs, value);
    return over ? number_or_null(part(*over)) : Json(nullptr);
  };
  Json json = Json::object();
  for (const StatFigure& figure : stat_figures()) {
    json[figure.name] = number(figure.value);
  }
  Json& zones = json["zones"] = Json::object();
  for (std::size_t z = 0; z < report.zones.size(); ++z) {
    zones[report.zones[z].name] =
        number([z](const StatRun& run) { return std::optional(joules(run.zones[z].command.nj)); });
  }
  return json;
}

}  // namespace

std::string stat_json(const StatReport& report) {
  Json json{{"schema", "powertrace.stat/1"},
            {"time", format_utc(report.realtime_ns)},
            {"command", report.command},
            {"source",
             {{"name", report.source.name},
              {"measured", report.source.measured},
              {"expected_error", report.source.expected_error}}},
            {"model", model_name(report.model)},
            {"idle_policy", idle_policy_name(report.idle)},
            {"idle_known", report.idle_known},
            {"not_counted", report.not_counted.empty() ? Json(nullptr) : Json(report.not_counted)},
            {"runs_wanted", report.runs_wanted},
            {"interrupted", report.interrupted}};
  json["mean"] = spread_json(report, [](const StatSpread& s) { return std::optional(s.mean); });
  json["stddev"] = report.runs.size() > 1
                       ? spread_json(report, [](const StatSpread& s) { return s.deviation; })
                       : Json(nullptr);
  Json& runs = json["runs"] = Json::array();
  for (const StatRun& run : report.runs) {
    runs.push_back(run_json(report, run));
  }
  // Arguments may be any bytes; those that are not UTF-8 must not end the output.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace powertrace
