// SPDX-License-Identifier: Apache-2.0
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

class Metrics {
 public:
  void begin(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    text_ += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
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
  metrics.begin("powertrace_powercap_limit_watts", "gauge", "Power limit in force.");
  for (const CapZoneStatus& zone : status.zones) {
    metrics.sample(fmt::format("zone=\"{}\",constraint=\"long_term\"", label(zone.name)),
                   zone.limit_w);
  }
  metrics.begin("powertrace_powercap_original_watts", "gauge", "Power limit as it was found.");
  for (const CapZoneStatus& zone : status.zones) {
    metrics.sample(fmt::format("zone=\"{}\",constraint=\"long_term\"", label(zone.name)),
                   zone.original_w);
  }
  metrics.begin("powertrace_powercap_zone_usable", "gauge",
                "1: the zone takes limits; else the reason why not.");
  for (const CapZoneStatus& zone : status.zones) {
    metrics.sample(fmt::format("zone=\"{}\",health=\"{}\"", label(zone.name), label(zone.health)),
                   zone.health == "ok" ? 1 : 0);
  }
  metrics.begin("powertrace_powercap_effective", "gauge",
                "1: measured power stays within the limit. Absent where nothing is measured.");
  for (const CapZoneStatus& zone : status.zones) {
    if (zone.effective) {
      metrics.sample(fmt::format("zone=\"{}\"", label(zone.name)), *zone.effective ? 1 : 0);
    }
  }
}

void effect_metrics(Metrics& metrics, const CapStatus& status) {
  const auto each = [&](const char* name, const char* help, double EffectSide::*value) {
    metrics.begin(name, "gauge", help);
    for (const EffectRow& row : status.effect) {
      for (const auto& [state, side] : {std::pair{"free", &row.free}, {"capped", &row.capped}}) {
        if (side->time_s > 0) {
          metrics.sample(fmt::format("workload=\"{}\",state=\"{}\"", label(row.name), state),
                         side->*value);
        }
      }
    }
  };
  each("powertrace_powercap_workload_watts", "Mean power with and without a limit in force.",
       &EffectSide::watts);
  each("powertrace_powercap_workload_cpus", "CPUs kept busy with and without a limit in force.",
       &EffectSide::cpus);
  each("powertrace_powercap_workload_gigahertz", "Cycles per run time; 0: not counted.",
       &EffectSide::ghz);
  metrics.begin("powertrace_powercap_workload_stalled_ratio", "gauge",
                "Share of time in which somebody waited for a CPU.");
  for (const EffectRow& row : status.effect) {
    for (const auto& [state, side] : {std::pair{"free", &row.free}, {"capped", &row.capped}}) {
      if (side->stalled) {
        metrics.sample(fmt::format("workload=\"{}\",state=\"{}\"", label(row.name), state),
                       *side->stalled);
      }
    }
  }
}

}  // namespace

std::string cap_metrics(const CapStatus& status) {
  Metrics metrics;
  metrics.begin("powertrace_powercap_mode", "gauge", "The mode that runs is 1.");
  for (const char* mode : {"observe", "enforce"}) {
    metrics.sample(fmt::format("mode=\"{}\"", mode), status.mode == mode ? 1 : 0);
  }
  metrics.begin("powertrace_powercap_phase", "gauge",
                "1: limits follow data, hold without it, or are lifted.");
  for (const char* phase : {"following", "holding", "released"}) {
    metrics.sample(fmt::format("phase=\"{}\"", phase), status.phase == phase ? 1 : 0);
  }
  if (status.decision_w) {
    metrics.begin("powertrace_powercap_decision_watts", "gauge", "What the policy wants.");
    metrics.sample(fmt::format("policy=\"{}\"", label(status.policy)), *status.decision_w);
  }
  zone_metrics(metrics, status);
  metrics.begin("powertrace_powercap_writes_total", "counter", "Writes to power limits.");
  metrics.sample("", static_cast<double>(status.writes));
  metrics.begin("powertrace_powercap_contention_total", "counter",
                "Limits that somebody else had changed.");
  metrics.sample("", static_cast<double>(status.contention));
  metrics.begin("powertrace_powercap_errors_total", "counter", "Failures by reason.");
  for (const auto& [reason, count] : status.errors) {
    metrics.sample(fmt::format("reason=\"{}\"", label(reason)), static_cast<double>(count));
  }
  metrics.begin("powertrace_powercap_restores_total", "counter", "Limits put back, by trigger.");
  for (const auto& [trigger, count] : status.restores) {
    metrics.sample(fmt::format("trigger=\"{}\"", label(trigger)), static_cast<double>(count));
  }
  if (status.value) {
    metrics.begin("powertrace_market_value", "gauge",
                  "Price, carbon or volume of the present slot.");
    metrics.sample(fmt::format("quantity=\"{}\",area=\"{}\",unit=\"{}\"", label(status.quantity),
                               label(status.area), label(status.unit)),
                   *status.value);
  }
  if (status.value && status.quantity == "price") {
    metrics.begin("powertrace_market_price", "gauge", "Price of the present slot.");
    metrics.sample(fmt::format("area=\"{}\",unit=\"{}\"", label(status.area), label(status.unit)),
                   *status.value);
  }
  if (status.data_age_s) {
    metrics.begin("powertrace_market_data_age_seconds", "gauge", "Since the data was fetched.");
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
  text +=
      fmt::format("\n{:<40} {:>8} {:>8} {:>8} {:>8} {:>7} {:>7} {:>7}\n", "WORKLOAD (free/capped)",
                  "W", "W cap", "CPUs", "CPUs cap", "GHz", "GHz cap", "SLOWER");
  // A side without time is not 0 W but unknown.
  const auto figure = [](const EffectSide& side, double value) {
    return side.time_s > 0 ? fmt::format("{:.2f}", value) : std::string("-");
  };
  for (const EffectRow& row : status.effect) {
    const auto slower = row.slower();
    const std::string name =
        row.name.size() > 40 ? "..." + row.name.substr(row.name.size() - 37) : row.name;
    text += fmt::format("{:<40} {:>8} {:>8} {:>8} {:>8} {:>7} {:>7} {:>7}\n", name,
                        figure(row.free, row.free.watts), figure(row.capped, row.capped.watts),
                        figure(row.free, row.free.cpus), figure(row.capped, row.capped.cpus),
                        figure(row.free, row.free.ghz), figure(row.capped, row.capped.ghz),
                        slower ? fmt::format("{:.0f} %", *slower * 100) : "-");
  }
  return text;
}

}  // namespace powertrace
