// SPDX-License-Identifier: Apache-2.0
//
// The options of a policy, shared by `cap` and `market simulate`.
#pragma once

#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "capping/controller.hpp"

namespace powertrace {

struct RawPolicy {
  std::string policy = "price-rank", low, high, reference = "max", schedule, tariff, tz;
  std::string floor = "50%", ceiling = "100%", hysteresis = "2W,2%", dwell = "60s", slew = "10";
  std::string stale_after, area, provider;
};

void add_policy_options(CLI::App& app, RawPolicy& raw);

Result<Policy> check_policy(const RawPolicy& raw);
Result<LimiterConfig> check_limiter(const RawPolicy& raw);
Result<std::int64_t> check_stale_after(const RawPolicy& raw);
Result<std::optional<WeekRules>> check_tariff(const RawPolicy& raw);

}  // namespace powertrace
