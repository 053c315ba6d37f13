// SPDX-License-Identifier: Apache-2.0
#include "capping/policy.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/choice.hpp"
#include "market/local_time.hpp"

namespace powertrace {
namespace {

constexpr std::array kKinds{Choice<PolicyKind>{"price-rank", PolicyKind::kPriceRank},
                            Choice<PolicyKind>{"price-threshold", PolicyKind::kPriceThreshold},
                            Choice<PolicyKind>{"carbon-threshold", PolicyKind::kCarbonThreshold},
                            Choice<PolicyKind>{"schedule", PolicyKind::kSchedule},
                            Choice<PolicyKind>{"rule-of-three", PolicyKind::kRuleOfThree}};
constexpr std::array kReferences{Choice<PolicyReference>{"max", PolicyReference::kMax},
                                 Choice<PolicyReference>{"mean", PolicyReference::kMean}};

// A rank among fewer hours says nothing about the day.
constexpr std::int64_t kLeastRankedS = std::int64_t{6} * 3600;

struct Day {
  std::int64_t from_s = 0;
  std::int64_t to_s = 0;
};

Day local_day(const TimeZone& zone, std::int64_t now_s) {
  return {zone.day_start(now_s * 1000) / 1000, zone.next_day(now_s * 1000) / 1000};
}

std::int64_t part_s(const Slot& slot, const Day& day) {
  return std::min(slot.end_s, day.to_s) - std::max(slot.start_s, day.from_s);
}

double between(const PowerRange& range, double share) {
  return range.floor_w + (range.ceiling_w - range.floor_w) * std::clamp(share, 0.0, 1.0);
}

Result<Decision> rank(const Policy& policy,
                      const PowerRange& range,
                      const Series& series,
                      const Slot& slot,
                      std::int64_t now_s) {
  const Day day = local_day(policy.zone, now_s);
  std::int64_t below_s = 0;
  std::int64_t equal_s = 0;
  std::int64_t known_s = 0;
  for (const Slot& other : series.within(day.from_s, day.to_s)) {
    known_s += part_s(other, day);
    below_s += other.value < slot.value ? part_s(other, day) : 0;
    equal_s += other.value == slot.value ? part_s(other, day) : 0;
  }
  if (known_s < kLeastRankedS) {
    return fail(ErrorCode::kNotFound, "only {} h of this day are known: too little to rank",
                known_s / 3600);
  }
  // A day of one price has nothing to shift.
  const double dear = known_s == equal_s
                          ? 0
                          : static_cast<double>(below_s) / static_cast<double>(known_s - equal_s);
  return Decision{between(range, 1 - dear), slot,
                  fmt::format("{:.4g} {}, dearer than {:.0f} % of the day", slot.value,
                              unit_of(series.info), dear * 100)};
}

Decision threshold(const Policy& policy,
                   const PowerRange& range,
                   const Series& series,
                   const Slot& slot) {
  double share = slot.value > policy.high ? 0 : 1;
  if (policy.high > policy.low) {
    share = (policy.high - slot.value) / (policy.high - policy.low);
  }
  return {between(range, share), slot,
          fmt::format("{:.4g} {} (full below {:.4g}, floor above {:.4g})", slot.value,
                      unit_of(series.info), policy.low, policy.high)};
}

Result<Decision> rule_of_three(const Policy& policy,
                               const PowerRange& range,
                               const Series& series,
                               const Slot& slot,
                               std::int64_t now_s) {
  const Day day = local_day(policy.zone, now_s);
  double reference = series.mean(day.from_s, day.to_s).value_or(0);
  const char* what = "mean";
  if (policy.reference == PolicyReference::kMax) {
    what = "maximum";
    reference = slot.value;
    for (const Slot& other : series.within(day.from_s, day.to_s)) {
      reference = std::max(reference, other.value);
    }
  }
  if (!(reference > 0)) {
    return fail(ErrorCode::kNotFound, "the day's {} is {} {}: nothing to compare with", what,
                reference, unit_of(series.info));
  }
  const double watts = std::clamp(std::round(slot.value / reference * range.ceiling_w),
                                  range.floor_w, range.ceiling_w);
  return Decision{watts, slot,
                  fmt::format("{:.4g} {} of the day's {} {:.4g}", slot.value, unit_of(series.info),
                              what, reference)};
}

Decision scheduled(const Policy& policy, const PowerRange& range, std::int64_t now_s) {
  const LocalTime time = local_time(policy.zone, now_s);
  const WeekRule& rule = policy.schedule.at(time);
  const double watts = rule.unit == "%" ? range.ceiling_w * rule.value / 100 : rule.value;
  return {std::clamp(watts, range.floor_w, range.ceiling_w), std::nullopt,
          fmt::format("schedule: {:g}{}", rule.value, rule.unit)};
}

Status check_schedule(const WeekRules& schedule) {
  if (schedule.rules.empty()) {
    return fail(ErrorCode::kUsage,
                "the schedule policy needs a schedule, as in \"100%, 60% mon-fri 17:00-20:00\"");
  }
  for (const WeekRule& rule : schedule.rules) {
    if ((rule.unit != "%" && rule.unit != "W") || rule.value < 0) {
      return fail(ErrorCode::kUsage,
                  "schedule: \"{:g}{}\" is not a share such as 60% or a power such as 95W",
                  rule.value, rule.unit);
    }
  }
  return {};
}

}  // namespace

Result<PolicyKind> parse_policy_kind(std::string_view text) {
  return parse_choice("a policy", text, kKinds);
}

std::string_view policy_name(PolicyKind kind) {
  return choice_name(kKinds, kind);
}

Result<PolicyReference> parse_policy_reference(std::string_view text) {
  return parse_choice("a reference", text, kReferences);
}

std::optional<Quantity> policy_input(const Policy& policy) {
  switch (policy.kind) {
    case PolicyKind::kPriceRank:
    case PolicyKind::kPriceThreshold:
      return Quantity::kPrice;
    case PolicyKind::kCarbonThreshold:
      return Quantity::kCarbon;
    case PolicyKind::kRuleOfThree:
      return Quantity::kVolume;
    case PolicyKind::kSchedule:
      break;
  }
  return std::nullopt;
}

Status check_policy(const Policy& policy, const PowerRange& range) {
  if (!(range.floor_w > 0) || !std::isfinite(range.ceiling_w)) {
    return fail(ErrorCode::kUsage, "the floor must be above 0 W and the ceiling a number");
  }
  if (range.floor_w > range.ceiling_w) {
    return fail(ErrorCode::kUsage, "the floor of {:g} W is above the ceiling of {:g} W",
                range.floor_w, range.ceiling_w);
  }
  const bool by_threshold =
      policy.kind == PolicyKind::kPriceThreshold || policy.kind == PolicyKind::kCarbonThreshold;
  if (by_threshold &&
      (!std::isfinite(policy.low) || !std::isfinite(policy.high) || policy.low > policy.high)) {
    return fail(ErrorCode::kUsage, "the low threshold {:g} is above the high one {:g}", policy.low,
                policy.high);
  }
  if (policy.kind == PolicyKind::kSchedule) {
    PT_TRY(check_schedule(policy.schedule));
  }
  return {};
}

Result<Decision> decide(const Policy& policy,
                        const PowerRange& range,
                        const Series* series,
                        std::int64_t now_s) {
  if (policy.kind == PolicyKind::kSchedule) {
    return scheduled(policy, range, now_s);
  }
  const Slot* slot = series == nullptr ? nullptr : series->at(now_s);
  if (slot == nullptr) {
    return fail(ErrorCode::kNotFound, "there is no {} for {}",
                quantity_name(policy_input(policy).value_or(Quantity::kPrice)), format_time(now_s));
  }
  if (series->info.quantity != policy_input(policy)) {
    return fail(ErrorCode::kUsage, "the policy {} needs {}, not {}", policy_name(policy.kind),
                quantity_name(policy_input(policy).value_or(Quantity::kPrice)),
                quantity_name(series->info.quantity));
  }
  switch (policy.kind) {
    case PolicyKind::kPriceRank:
      return rank(policy, range, *series, *slot, now_s);
    case PolicyKind::kRuleOfThree:
      return rule_of_three(policy, range, *series, *slot, now_s);
    default:
      return threshold(policy, range, *series, *slot);
  }
}

}  // namespace powertrace
