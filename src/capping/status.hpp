// SPDX-License-Identifier: Apache-2.0
//
// The controller's state for others: a file that `cap status` and exporters read, and metrics.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "capping/effect.hpp"

namespace powertrace {

struct CapZoneStatus {
  std::string name;
  std::string health;
  std::string reason;
  double original_w = 0;
  double limit_w = 0;
  std::optional<double> measured_w;
  std::optional<bool> effective;  // measured power stays below the limit; nullopt: not known
};

struct CapStatus {
  std::string mode;  // "observe", "enforce"
  std::string policy;
  std::string phase;
  std::int64_t time_s = 0;
  std::int64_t pid = 0;
  double original_w = 0;
  double floor_w = 0;
  double ceiling_w = 0;
  std::optional<double> decision_w;
  double applied_w = 0;
  std::string reason;
  std::string area;
  std::string unit;
  std::string quantity;
  std::string source;
  std::optional<double> value;       // of the slot in force
  std::optional<double> data_age_s;  // since the data was fetched
  std::int64_t data_until_s = 0;     // 0: none
  std::string period;                // of the present slot by the local clock, "23:45-24:00"
  std::vector<CapZoneStatus> zones;
  std::uint64_t writes = 0;
  std::uint64_t contention = 0;
  std::map<std::string, std::uint64_t> errors;
  std::map<std::string, std::uint64_t> restores;
  std::vector<EffectRow> effect;
};

std::string cap_status_json(const CapStatus& status);
Result<CapStatus> parse_cap_status(const std::string& text);
struct CapMetric {
  std::string_view name, type, help, labels;
};
// All that cap_metrics() may print.
std::span<const CapMetric> cap_metric_families();

// Prometheus' text format.
std::string cap_metrics(const CapStatus& status);
// For people; `now_s` says how old the status is.
std::string cap_status_text(const CapStatus& status, std::int64_t now_s);

}  // namespace powertrace
