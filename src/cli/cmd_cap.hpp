// SPDX-License-Identifier: Apache-2.0
//
// `powertrace cap`: follow a market with the packages' power limits, or show what would be done.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "capping/actuator.hpp"
#include "capping/controller.hpp"
#include "cli/cap/node_annotations.hpp"
#include "cli/options.hpp"
#include "model/rollup.hpp"

namespace powertrace {

struct CapOptions {
  bool enforce = false;
  Policy policy;
  std::string floor;    // "50%", "95W"
  std::string ceiling;  // "100%"
  LimiterConfig limiter;
  std::int64_t stale_after_s = 0;
  std::uint64_t tick_ns = 1'000'000'000;
  std::string state_dir;
  std::string market_dir;
  std::string area;                 // empty: whatever the store has
  std::string provider;             // empty: any
  std::optional<WeekRules> tariff;  // prices by the clock instead of a market's
  std::optional<std::uint64_t> max_uw;
  bool with_short_term = false;
  bool i_know = false;  // a floor below a fifth of the design power
  bool write = false;
  bool enabled = false;
  bool guardian = true;
  bool json = false;
  bool profile = false;
  Level by = Level::kCgroup;
  std::string listen;
  std::optional<NodeAnnotationsConfig> annotations;
  std::optional<std::int64_t> replay_from_s;
  double speed = 1;
  std::uint64_t duration_ns = 0;  // of real time; 0: until stopped
  std::uint64_t count = 0;        // of decisions; 0: no bound
};

struct CapStatusOptions {
  std::string state_dir;
  bool json = false;
  bool metrics = false;
  bool stop = false;  // restore: end a controller that runs first
};

Result<int> run_cap(const GlobalOptions& global, const CapOptions& options);
Result<int> run_cap_status(const CapStatusOptions& options);
Result<int> run_cap_restore(const GlobalOptions& global, const CapStatusOptions& options);

}  // namespace powertrace
