// SPDX-License-Identifier: Apache-2.0
//
// Values that depend on month, day of the week and hour, by the local clock: time-of-use tariffs
// and schedules of limits. "0.30EUR/kWh, 0.22 mon-fri 22:00-06:00, 0.18 sat-sun": the first rule is
// for all times, of the others the last that fits wins. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "market/local_time.hpp"
#include "market/series.hpp"

namespace powertrace {

struct WeekRule {
  double value = 0;
  std::string unit;              // as written; empty: that of the first rule
  std::uint8_t days = 0x7F;      // bit 0: Monday
  std::uint16_t months = 0xFFF;  // bit 0: January
  int from_minute = 0;           // [from, to) of the day; from > to: over midnight
  int to_minute = 1440;
};

struct WeekRules {
  std::vector<WeekRule> rules;

  [[nodiscard]] const WeekRule& at(const LocalTime& time) const;
};

// kUsage, with the rule and what was expected. Rules are separated by commas or semicolons.
Result<WeekRules> parse_week_rules(std::string_view text);

// A tariff over [from_s, to_s): a series of prices with slots of at most an hour.
Result<Series> tariff_series(const WeekRules& rules,
                             const TimeZone& zone,
                             std::int64_t from_s,
                             std::int64_t to_s);

}  // namespace powertrace
