// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "base/wall_time.hpp"
#include "capping/status.hpp"

namespace powertrace {
namespace {

// A quote, a backslash or a line break would end a label's value.
std::string label(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\' || c == '"') {
      escaped += '\\';
    }
    escaped += c == '\n' ? ' ' : c;
  }
  return escaped;
}

constexpr std::array<CapMetric, 18> kFamilies{{
    {"powertrace_powercap_limit_watts", "gauge", "Power limit in force.", "zone,constraint"},
    {"powertrace_powercap_original_watts", "gauge", "Power limit as it was found.",
     "zone,constraint"},
    {"powertrace_powercap_zone_usable", "gauge",
     "1: the zone takes limits; else the reason why not.", "zone,health"},
    {"powertrace_powercap_effective", "gauge",
     "1: measured power stays within the limit. Absent where nothing is measured.", "zone"},
    {"powertrace_powercap_workload_watts", "gauge", "Mean power with and without a limit in force.",
     "workload,state"},
    {"powertrace_powercap_workload_cpus", "gauge",
     "CPUs kept busy with and without a limit in force.", "workload,state"},
    {"powertrace_powercap_workload_gigahertz", "gauge",
     "Cycles per run time; absent where cycles are not counted.", "workload,state"},
    {"powertrace_powercap_workload_stalled_ratio", "gauge",
     "Share of time in which somebody waited for a CPU.", "workload,state"},
    {"powertrace_powercap_mode", "gauge", "The mode that runs is 1.", "mode"},
    {"powertrace_powercap_phase", "gauge", "1: limits follow data, hold without it, or are lifted.",
     "phase"},
    {"powertrace_powercap_decision_watts", "gauge", "What the policy wants.", "policy"},
    {"powertrace_powercap_writes_total", "counter", "Writes to power limits.", ""},
    {"powertrace_powercap_contention_total", "counter", "Limits that somebody else had changed.",
     ""},
    {"powertrace_powercap_errors_total", "counter", "Failures by reason.", "reason"},
    {"powertrace_powercap_restores_total", "counter", "Limits put back, by trigger.", "trigger"},
    {"powertrace_market_value", "gauge", "Price, carbon or volume of the present slot.",
     "quantity,area,unit"},
    {"powertrace_market_price", "gauge", "Price of the present slot.", "area,unit"},
    {"powertrace_market_data_age_seconds", "gauge", "Since the data was fetched.", ""},
}};

class Metrics {
 public:
  void begin(std::string_view name) {
    const CapMetric& family = *std::find_if(kFamilies.begin(), kFamilies.end(),
                                            [&](const CapMetric& at) { return at.name == name; });
    name_ = name;
    text_ += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, family.help, family.type);
  }
  void sample(const std::string& labels, double value) {
    text_ += labels.empty() ? fmt::format("{} {}\n", name_, value)
                            : fmt::format("{}{{{}}} {}\n", name_, labels, value);
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string_view name_;
  std::string text_;
};

void zone_metrics(Metrics& metrics, const CapStatus& status) {
  metrics.begin("powertrace_powercap_limit_watts");
  for (const CapZoneStatus& zone : status.zones) {
    metrics.sample(fmt::format("zone=\"{}\",constraint=\"long_term\"", label(zone.name)),
                   zone.limit_w);
  }
  metrics.begin("powertrace_powercap_original_watts");
  for (const CapZoneStatus& zone : status.zones) {
    metrics.sample(fmt::format("zone=\"{}\",constraint=\"long_term\"", label(zone.name)),
                   zone.original_w);
  }
  metrics.begin("powertrace_powercap_zone_usable");
  for (const CapZoneStatus& zone : status.zones) {
    metrics.sample(fmt::format("zone=\"{}\",health=\"{}\"", label(zone.name), label(zone.health)),
                   zone.health == "ok" ? 1 : 0);
  }
  metrics.begin("powertrace_powercap_effective");
  for (const CapZoneStatus& zone : status.zones) {
    if (zone.effective) {
      metrics.sample(fmt::format("zone=\"{}\"", label(zone.name)), *zone.effective ? 1 : 0);
    }
  }
}

void effect_metrics(Metrics& metrics, const CapStatus& status) {
  const auto each = [&](const char* name, auto value) {
    metrics.begin(name);
    for (const EffectRow& row : status.effect) {
      for (const auto& [state, side] : {std::pair{"free", &row.free}, {"capped", &row.capped}}) {
        const std::optional<double> known = side->time_s > 0 ? value(*side) : std::nullopt;
        if (known) {
          metrics.sample(fmt::format("workload=\"{}\",state=\"{}\"", label(row.name), state),
                         *known);
        }
      }
    }
  };
  each("powertrace_powercap_workload_watts",
       [](const EffectSide& side) { return std::optional(side.watts); });
  each("powertrace_powercap_workload_cpus",
       [](const EffectSide& side) { return std::optional(side.cpus); });
  each("powertrace_powercap_workload_gigahertz", [](const EffectSide& side) {
    return side.ghz > 0 ? std::optional(side.ghz) : std::nullopt;
  });
  each("powertrace_powercap_workload_stalled_ratio",
       [](const EffectSide& side) { return side.stalled; });
}

}  // namespace

std::span<const CapMetric> cap_metric_families() {
  return kFamilies;
}

std::string cap_metrics(const CapStatus& status) {
  Metrics metrics;
  metrics.begin("powertrace_powercap_mode");
  for (const char* mode : {"observe", "enforce"}) {
    metrics.sample(fmt::format("mode=\"{}\"", mode), status.mode == mode ? 1 : 0);
  }
  metrics.begin("powertrace_powercap_phase");
  for (const char* phase : {"following", "holding", "released"}) {
    metrics.sample(fmt::format("phase=\"{}\"", phase), status.phase == phase ? 1 : 0);
  }
  if (status.decision_w) {
    metrics.begin("powertrace_powercap_decision_watts");
    metrics.sample(fmt::format("policy=\"{}\"", label(status.policy)), *status.decision_w);
  }
  zone_metrics(metrics, status);
  metrics.begin("powertrace_powercap_writes_total");
  metrics.sample("", static_cast<double>(status.writes));
  metrics.begin("powertrace_powercap_contention_total");
  metrics.sample("", static_cast<double>(status.contention));
  metrics.begin("powertrace_powercap_errors_total");
  for (const auto& [reason, count] : status.errors) {
    metrics.sample(fmt::format("reason=\"{}\"", label(reason)), static_cast<double>(count));
  }
  metrics.begin("powertrace_powercap_restores_total");
  for (const auto& [trigger, count] : status.restores) {
    metrics.sample(fmt::format("trigger=\"{}\"", label(trigger)), static_cast<double>(count));
  }
  if (status.value) {
    metrics.begin("powertrace_market_value");
    metrics.sample(fmt::format("quantity=\"{}\",area=\"{}\",unit=\"{}\"", label(status.quantity),
                               label(status.area), label(status.unit)),
                   *status.value);
  }
  if (status.value && status.quantity == "price") {
    metrics.begin("powertrace_market_price");
    metrics.sample(fmt::format("area=\"{}\",unit=\"{}\"", label(status.area), label(status.unit)),
                   *status.value);
  }
  if (status.data_age_s) {
    metrics.begin("powertrace_market_data_age_seconds");
    metrics.sample("", *status.data_age_s);
  }
  effect_metrics(metrics, status);
  return metrics.text();
}

std::string cap_status_text(const CapStatus& status, std::int64_t now_s) {
  std::string text = fmt::format("{} ({}), {}: {:.1f} W of {:.1f} W", status.mode, status.policy,
                                 status.phase, status.applied_w, status.original_w);
  text += status.decision_w ? fmt::format(", wanted {:.1f} W", *status.decision_w) : "";
  text += fmt::format(" [floor {:.1f} W, ceiling {:.1f} W]\n", status.floor_w, status.ceiling_w);
  if (!status.reason.empty()) {
    text += "  " + status.reason + "\n";
  }
  if (status.data_until_s > 0) {
    text += fmt::format("  {} for {} from {}, until {}\n", status.quantity, status.area,
                        status.source, format_rfc3339(status.data_until_s * 1000));
  }
  if (now_s - status.time_s > 60) {
    text += fmt::format("  this is {} s old: process {} is gone or hangs\n", now_s - status.time_s,
                        status.pid);
  }
  text += fmt::format("\n{:<18} {:>10} {:>10} {:>10}  {}\n", "ZONE", "FOUND W", "LIMIT W",
                      "DRAWS W", "STATE");
  for (const CapZoneStatus& zone : status.zones) {
    text +=
        fmt::format("{:<18} {:>10.1f} {:>10.1f} {:>10}  {}{}{}\n", zone.name, zone.original_w,
                    zone.limit_w, zone.measured_w ? fmt::format("{:.1f}", *zone.measured_w) : "-",
                    zone.health, zone.effective.value_or(true) ? "" : ", no effect",
                    zone.reason.empty() ? "" : ": " + zone.reason);
  }
  if (status.effect.empty()) {
    return text;
  }
  text += fmt::format("\n{:<40} {:>8} {:>8} {:>8} {:>8} {:>7} {:>7} {:>7} {:>8} {:>7}\n",
                      "WORKLOAD (free/capped)", "W", "W cap", "CPUs", "CPUs cap", "GHz", "GHz cap",
                      "WAIT", "WAIT cap", "SLOWER");
  // A side without time is not 0 W but unknown.
  const auto figure = [](const EffectSide& side, double value) {
    return side.time_s > 0 ? fmt::format("{:.2f}", value) : std::string("-");
  };
  const auto speed = [](const EffectSide& side) {
    return side.ghz > 0 ? fmt::format("{:.2f}", side.ghz) : std::string("-");
  };
  const auto wait = [](const EffectSide& side) {
    return side.stalled ? fmt::format("{:.1f} %", *side.stalled * 100) : std::string("-");
  };
  for (const EffectRow& row : status.effect) {
    const auto slower = row.slower();
    const std::string name =
        row.name.size() > 40 ? "..." + row.name.substr(row.name.size() - 37) : row.name;
    text += fmt::format("{:<40} {:>8} {:>8} {:>8} {:>8} {:>7} {:>7} {:>7} {:>8} {:>7}\n", name,
                        figure(row.free, row.free.watts), figure(row.capped, row.capped.watts),
                        figure(row.free, row.free.cpus), figure(row.capped, row.capped.cpus),
                        speed(row.free), speed(row.capped), wait(row.free), wait(row.capped),
                        slower ? fmt::format("{:.0f} %", *slower * 100) : "-");
  }
  return text;
}

}  // namespace powertrace
