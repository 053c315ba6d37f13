// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>

#include "base/parse.hpp"
#include "cli/cmd_cap.hpp"
#include "cli/commands/command.hpp"
#include "cli/commands/market_values.hpp"
#include "cli/commands/values.hpp"
#include "market/areas.hpp"

namespace powertrace {
namespace {

constexpr std::int64_t kNsPerS = 1'000'000'000;

struct RawCap {
  std::string policy = "price-rank", low, high, reference = "max", schedule, tz;
  std::string floor = "50%", ceiling = "100%", hysteresis = "2W,2%", dwell = "60s", slew = "10";
  std::string stale_after, tick = "1s", state_dir = kCapStateDir, market_dir = kMarketDir;
  std::string area, provider, max_watts, by = "cgroup", listen, replay, speed = "1", duration,
                                         count;
  bool pl2 = false, i_know = false, write = false, enabled = false, no_guardian = false;
  bool json = false, metrics = false, profile = false;
};

// Every form of `cap` takes these, so that one section of the configuration file fits all.
void add_options(CLI::App& cap, RawCap& raw) {
  cap.add_option("--policy", raw.policy,
                 "price-rank, price-threshold, carbon-threshold, schedule, rule-of-three");
  cap.add_option("--low", raw.low,
                 "threshold up to which the ceiling holds: 80EUR/MWh, 200gCO2/kWh");
  cap.add_option("--high", raw.high, "threshold from which the floor holds; default: as --low");
  cap.add_option("--reference", raw.reference, "of rule-of-three: the day's max or mean");
  cap.add_option("--schedule", raw.schedule, "powers by the clock: 100%, 60% mon-fri 17:00-20:00")
      ->type_name("RULES");
  cap.add_option("--tz", raw.tz, "time zone of days and schedules; default: the area's");
  cap.add_option("--floor", raw.floor,
                 "least power: watts, % of the design power, or the greater of both")
      ->type_name("POWER");
  cap.add_option("--ceiling", raw.ceiling, "most power: watts or % of what was found")
      ->type_name("POWER");
  cap.add_option("--hysteresis", raw.hysteresis, "smaller changes are left out")->type_name("W,%");
  cap.add_option("--dwell", raw.dwell, "least time between two targets")->type_name("DURATION");
  cap.add_option("--slew", raw.slew, "fastest change, in watts per second")->type_name("W");
  cap.add_option("--stale-after", raw.stale_after,
                 "without data the last decision holds so long; default: two slots")
      ->type_name("DURATION");
  cap.add_option("--tick", raw.tick, "time between two decisions")->type_name("DURATION");
  cap.add_option("--area", raw.area, "bidding zone or carbon region, as DE-LU or FR");
  cap.add_option("--provider", raw.provider, "only data of this provider");
  cap.add_option("--market-dir", raw.market_dir, "where market data is kept")->type_name("DIR");
  cap.add_option("--state-dir", raw.state_dir, "where originals, lock and status are kept")
      ->type_name("DIR");
  cap.add_option("--max-watts", raw.max_watts, "design power of a package that does not tell")
      ->type_name("W");
  cap.add_flag("--pl2", raw.pl2, "let the short-term limit follow in its original proportion");
  cap.add_flag("--i-know", raw.i_know, "allow a floor below a fifth of the design power");
  cap.add_flag("--write", raw.write, "enforce: yes, write");
  cap.add_flag("--enabled", raw.enabled, "enforce: allowed here; meant for the configuration file");
  cap.add_flag("--no-guardian", raw.no_guardian,
               "no second process that restores after SIGKILL (in containers it would die too)");
  cap.add_flag("--profile", raw.profile, "profile workloads and show what the cap costs them");
  cap.add_option("--by", raw.by, "workloads to profile: cgroup, container, pod, comm, ...");
  cap.add_option("--listen", raw.listen, "serve /metrics there, as 127.0.0.1:9103")
      ->type_name("ADDR:PORT");
  cap.add_option("--replay", raw.replay, "decide as if it were this time, with data of then")
      ->type_name("TIME");
  cap.add_option("--speed", raw.speed, "with --replay: so many seconds in one")
      ->type_name("FACTOR");
  cap.add_option("--duration", raw.duration, "stop after this time")->type_name("DURATION");
  cap.add_option("--count", raw.count, "stop after so many decisions")->type_name("N");
  cap.add_flag("--json", raw.json, "one JSON object per line");
  cap.add_flag("--metrics", raw.metrics, "status: in Prometheus' text format");
}

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

Status check_thresholds(const RawCap& raw, Policy& policy) {
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

Result<Policy> check_policy(const RawCap& raw) {
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

Result<CapOptions> check(const RawCap& raw, bool enforce) {
  CapOptions cap;
  cap.enforce = enforce;
  PT_ASSIGN(cap.policy, check_policy(raw));
  cap.floor = raw.floor;
  cap.ceiling = raw.ceiling;
  PT_TRY(check_hysteresis(raw.hysteresis, cap.limiter));
  PT_ASSIGN(const std::int64_t dwell_s, duration_s("--dwell", raw.dwell));
  cap.limiter.dwell_s = static_cast<double>(dwell_s);
  PT_ASSIGN(cap.limiter.slew_w_per_s, at_option("--slew", parse_double(raw.slew)));
  if (!raw.stale_after.empty()) {
    PT_ASSIGN(cap.stale_after_s, duration_s("--stale-after", raw.stale_after));
  }
  PT_ASSIGN(cap.tick_ns, at_option("--tick", parse_duration_ns(raw.tick)));
  if (cap.tick_ns < 1'000'000 || cap.tick_ns > 60 * static_cast<std::uint64_t>(kNsPerS)) {
    return fail(ErrorCode::kUsage, "--tick: {} is not between 1ms and 60s", raw.tick);
  }
  if (!raw.max_watts.empty()) {
    PT_ASSIGN(const double watts, at_option("--max-watts", parse_double(raw.max_watts)));
    if (watts < 5 || watts > 1000) {
      return fail(ErrorCode::kUsage, "--max-watts: {} W is no power of one package", raw.max_watts);
    }
    cap.max_uw = static_cast<std::uint64_t>(watts * 1e6);
  }
  if (!raw.replay.empty()) {
    PT_ASSIGN(cap.replay_from_s, check_time("--replay", raw.replay, cap.policy.zone));
  }
  PT_ASSIGN(cap.speed, at_option("--speed", parse_double(raw.speed)));
  if (!(cap.speed > 0) || cap.speed > 1e6 || (cap.speed != 1 && raw.replay.empty())) {
    return fail(ErrorCode::kUsage, "--speed: a factor above 0, and only with --replay");
  }
  if (!raw.duration.empty()) {
    PT_ASSIGN(cap.duration_ns, at_option("--duration", parse_duration_ns(raw.duration)));
  }
  if (!raw.count.empty()) {
    PT_ASSIGN(cap.count, check_count("--count", raw.count));
  }
  PT_ASSIGN(cap.by, at_option("--by", parse_level(raw.by)));
  cap.state_dir = raw.state_dir;
  cap.market_dir = raw.market_dir;
  cap.area = raw.area;
  cap.provider = raw.provider;
  cap.with_short_term = raw.pl2;
  cap.i_know = raw.i_know;
  cap.write = raw.write;
  cap.enabled = raw.enabled;
  cap.guardian = !raw.no_guardian;
  cap.json = raw.json;
  cap.profile = raw.profile;
  cap.listen = raw.listen;
  return cap;
}

}  // namespace

void add_cap(CommandLine& line) {
  auto raw = std::make_shared<RawCap>();
  CLI::App* cap = line.app.add_subcommand("cap", "Power limits that follow a market, safely");
  add_options(*cap, *raw);
  cap->require_subcommand(1);
  const auto add = [&](const char* name, const char* what, CommandLine::Run run) {
    CLI::App* command = cap->add_subcommand(name, what);
    command->fallthrough();
    command->callback([&line, run = std::move(run)] { line.run = run; });
  };
  for (const bool enforce : {false, true}) {
    add(enforce ? "enforce" : "observe",
        enforce ? "Write limits (needs --write, and cap.enabled in the configuration)"
                : "Show what enforce would do; opens nothing for writing",
        [raw, enforce](const GlobalOptions& global) -> Result<int> {
          PT_ASSIGN(const CapOptions options, check(*raw, enforce));
          return run_cap(global, options);
        });
  }
  add("restore", "Put back what an enforce left behind; does nothing if there is nothing",
      [raw](const GlobalOptions& global) {
        return run_cap_restore(global, {raw->state_dir, raw->json, raw->metrics});
      });
  add("status", "What the running controller does, and what its limits cost whom",
      [raw](const GlobalOptions&) {
        return run_cap_status({raw->state_dir, raw->json, raw->metrics});
      });
}

}  // namespace powertrace
