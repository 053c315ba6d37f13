// SPDX-License-Identifier: Apache-2.0
//
// What a market says -> how many watts a node may draw. Pure functions of a series and an instant.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/wall_time.hpp"
#include "market/series.hpp"
#include "market/week_rules.hpp"

namespace powertrace {

enum class PolicyKind : std::uint8_t {
  kPriceRank,        // the day's cheapest slot gets the ceiling, its dearest the floor
  kPriceThreshold,   // ceiling up to `low`, floor from `high`, a line between them
  kCarbonThreshold,  // the same for gCO2/kWh
  kSchedule,         // watts by the clock
  kRuleOfThree,      // value / reference of the day * ceiling
};
Result<PolicyKind> parse_policy_kind(std::string_view text);
std::string_view policy_name(PolicyKind kind);

enum class PolicyReference : std::uint8_t { kMax, kMean };
Result<PolicyReference> parse_policy_reference(std::string_view text);

struct Policy {
  PolicyKind kind = PolicyKind::kPriceRank;
  double low = 0;  // thresholds, in the series' unit
  double high = 0;
  PolicyReference reference = PolicyReference::kMax;  // of rule-of-three
  WeekRules schedule;                                 // "100%, 60% mon-fri 17:00-20:00", or watts
  TimeZone zone = TimeZone::utc();                    // of local days and schedules
};

// What a policy needs to be fed with; nullopt: nothing.
std::optional<Quantity> policy_input(const Policy& policy);

// Of the whole node.
struct PowerRange {
  double floor_w = 0;
  double ceiling_w = 0;
};

struct Decision {
  double watts = 0;
  std::optional<Slot> slot;  // that it is for
  std::string reason;        // "0.0949 EUR/kWh, dearer than 72 % of the day"
};

// kUsage for thresholds or a schedule that make no sense, and for a floor above the ceiling.
Status check_policy(const Policy& policy, const PowerRange& range);

// `series` may be null for a schedule. kNotFound: there is no data for this instant.
Result<Decision> decide(const Policy& policy,
                        const PowerRange& range,
                        const Series* series,
                        std::int64_t now_s);

}  // namespace powertrace
