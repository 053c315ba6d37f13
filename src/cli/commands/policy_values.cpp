// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/policy_values.hpp"

#include "base/parse.hpp"
#include "cli/commands/market_values.hpp"
#include "cli/commands/values.hpp"

namespace powertrace {
namespace {

constexpr std::int64_t kNsPerS = 1'000'000'000;

Result<std::int64_t> duration_s(const char* option, const std::string& text) {
  PT_ASSIGN(const std::uint64_t ns, at_option(option, parse_duration_ns(text)));
  return static_cast<std::int64_t>(ns) / kNsPerS;
}

Status check_hysteresis(const std::string& text, LimiterConfig& limiter) {
  const std::size_t comma = text.find(',');
  const std::string watts = text.substr(0, comma);
  const std::string share = comma == std::string::npos ? "0%" : text.substr(comma + 1);
  if (!watts.ends_with('W') || !share.ends_with('%')) {
    return fail(ErrorCode::kUsage, "--hysteresis: \"{}\" is not like 2W,2%", text);
  }
  PT_ASSIGN(limiter.hysteresis_w,
            at_option("--hysteresis", parse_double(watts.substr(0, watts.size() - 1))));
  PT_ASSIGN(limiter.hysteresis_share, at_option("--hysteresis", parse_fraction(share)));
  return {};
}

Status check_thresholds(const RawPolicy& raw, Policy& policy) {
  const bool by_threshold =
      policy.kind == PolicyKind::kPriceThreshold || policy.kind == PolicyKind::kCarbonThreshold;
  if (!by_threshold) {
    return {};
  }
  if (raw.low.empty()) {
    return fail(ErrorCode::kUsage,
                "--policy {} needs --low, as in --low 80EUR/MWh or --low 200gCO2/kWh",
                policy_name(policy.kind));
  }
  const Quantity wanted =
      policy.kind == PolicyKind::kPriceThreshold ? Quantity::kPrice : Quantity::kCarbon;
  PT_ASSIGN(policy.low, parse_amount("--low", raw.low, wanted));
  policy.high = policy.low;
  if (!raw.high.empty()) {
    PT_ASSIGN(policy.high, parse_amount("--high", raw.high, wanted));
  }
  return {};
}

}  // namespace

void add_policy_options(CLI::App& app, RawPolicy& raw) {
  app.add_option("--policy", raw.policy,
                 "price-rank, price-threshold, carbon-threshold, schedule, rule-of-three");
  app.add_option("--low", raw.low,
                 "threshold up to which the ceiling holds: 80EUR/MWh, 200gCO2/kWh");
  app.add_option("--high", raw.high, "threshold from which the floor holds; default: as --low");
  app.add_option("--reference", raw.reference, "of rule-of-three: the day's max or mean");
  app.add_option("--schedule", raw.schedule, "powers by the clock: 100%, 60% mon-fri 17:00-20:00")
      ->type_name("RULES");
  app.add_option("--tz", raw.tz, "time zone of days and schedules; default: the area's");
  app.add_option("--floor", raw.floor,
                 "least power: watts, % of the design power, or the greater of both")
      ->type_name("POWER");
  app.add_option("--ceiling", raw.ceiling, "most power: watts or % of what was found")
      ->type_name("POWER");
  app.add_option("--hysteresis", raw.hysteresis, "smaller changes are left out")->type_name("W,%");
  app.add_option("--dwell", raw.dwell, "least time between two targets")->type_name("DURATION");
  app.add_option("--slew", raw.slew, "fastest change, in watts per second")->type_name("W");
  app.add_option("--stale-after", raw.stale_after,
                 "without data the last decision holds so long; default: two slots")
      ->type_name("DURATION");
  app.add_option("--area", raw.area, "bidding zone or carbon region, as DE-LU or FR");
  app.add_option("--provider", raw.provider, "only data of this provider");
  app.add_option("--tariff", raw.tariff,
                 "prices by the clock instead of a market's: 0.30EUR/kWh, 0.22 22:00-06:00")
      ->type_name("RULES");
}

Result<Policy> check_policy(const RawPolicy& raw) {
  Policy policy;
  PT_ASSIGN(policy.kind, at_option("--policy", parse_policy_kind(raw.policy)));
  PT_ASSIGN(policy.reference, at_option("--reference", parse_policy_reference(raw.reference)));
  PT_ASSIGN(policy.zone, check_zone(raw.tz, raw.area));
  PT_TRY(check_thresholds(raw, policy));
  if (!raw.schedule.empty()) {
    PT_ASSIGN(policy.schedule, at_option("--schedule", parse_week_rules(raw.schedule)));
  }
  return policy;
}

Result<LimiterConfig> check_limiter(const RawPolicy& raw) {
  LimiterConfig limiter;
  PT_TRY(check_hysteresis(raw.hysteresis, limiter));
  PT_ASSIGN(const std::int64_t dwell_s, duration_s("--dwell", raw.dwell));
  limiter.dwell_s = static_cast<double>(dwell_s);
  PT_ASSIGN(limiter.slew_w_per_s, at_option("--slew", parse_double(raw.slew)));
  return limiter;
}

Result<std::int64_t> check_stale_after(const RawPolicy& raw) {
  return raw.stale_after.empty() ? Result<std::int64_t>(0)
                                 : duration_s("--stale-after", raw.stale_after);
}

Result<std::optional<WeekRules>> check_tariff(const RawPolicy& raw) {
  if (raw.tariff.empty()) {
    return std::optional<WeekRules>();
  }
  PT_ASSIGN(WeekRules rules, at_option("--tariff", parse_week_rules(raw.tariff)));
  return std::optional(std::move(rules));
}

}  // namespace powertrace
