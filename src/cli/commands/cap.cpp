// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <memory>
#include <string>

#include "base/parse.hpp"
#include "cli/cmd_cap.hpp"
#include "cli/commands/command.hpp"
#include "cli/commands/market_values.hpp"
#include "cli/commands/policy_values.hpp"
#include "cli/commands/values.hpp"
#include "serve/listener.hpp"

namespace powertrace {
namespace {

struct RawCap {
  RawPolicy policy;
  std::string tick = "1s", state_dir = kCapStateDir, market_dir = kMarketDir;
  std::string max_watts, by = "cgroup", listen, node, api_server, token_file, ca_file,
                         names = "powertrace", replay, speed = "1", duration, count;
  bool pl2 = false, i_know = false, write = false, enabled = false, no_guardian = false;
  bool json = false, metrics = false, profile = false, stop = false;
};

// Every form of `cap` takes these, so that one section of the configuration file fits all.
void add_options(CLI::App& cap, RawCap& raw) {
  add_policy_options(cap, raw.policy);
  cap.add_option("--tick", raw.tick, "time between two decisions")->type_name("DURATION");
  cap.add_option("--market-dir", raw.market_dir, "where market data is kept")->type_name("DIR");
  cap.add_option("--state-dir", raw.state_dir, "where originals, lock and status are kept")
      ->type_name("DIR");
  cap.add_option("--max-watts", raw.max_watts, "design power of a package that does not tell")
      ->type_name("W");
  cap.add_flag("--short-term", raw.pl2,
               "let the short-term limit follow in its original proportion");
  cap.add_flag("--i-know", raw.i_know, "allow a floor below a fifth of the design power");
  cap.add_flag("--write", raw.write, "enforce: yes, write");
  cap.add_flag("--enabled", raw.enabled, "enforce: allowed here; meant for the configuration file");
  cap.add_flag("--no-guardian", raw.no_guardian,
               "no second process that restores after SIGKILL (in containers it would die too)");
  cap.add_flag("--profile", raw.profile, "profile workloads and show what the cap costs them");
  cap.add_option("--by", raw.by, "workloads to profile: cgroup, container, pod, comm, ...");
  cap.add_option("--listen", raw.listen, "serve /metrics there, as 127.0.0.1:9103")
      ->type_name("ADDR:PORT");
  cap.add_option("--node-annotations", raw.node, "keep annotations of this Kubernetes node")
      ->type_name("NODE");
  cap.add_option("--annotation-names", raw.names, "powertrace or rapl (the older power manager's)");
  cap.add_option("--api-server", raw.api_server, "default: that of the pod")->type_name("URL");
  cap.add_option("--token-file", raw.token_file, "default: the pod's service account")
      ->type_name("FILE");
  cap.add_option("--ca-file", raw.ca_file, "default: the pod's service account")->type_name("FILE");
  cap.add_option("--replay", raw.replay, "decide as if it were this time, with data of then")
      ->type_name("TIME");
  cap.add_option("--speed", raw.speed, "with --replay: so many seconds in one")
      ->type_name("FACTOR");
  cap.add_option("--duration", raw.duration, "stop after this time")->type_name("DURATION");
  cap.add_option("--count", raw.count, "stop after so many decisions")->type_name("N");
  cap.add_flag("--json", raw.json, "one JSON object per line");
  cap.add_flag("--stop", raw.stop, "restore: end the controller first, if one runs");
  cap.add_flag("--metrics", raw.metrics, "status: in Prometheus' text format");
}

// What is not given is the pod's own.
Result<std::optional<NodeAnnotationsConfig>> check_annotations(const RawCap& raw) {
  if (raw.node.empty()) {
    return std::optional<NodeAnnotationsConfig>();
  }
  constexpr const char* kAccount = "/var/run/secrets/kubernetes.io/serviceaccount/";
  NodeAnnotationsConfig config{raw.node, raw.api_server, raw.token_file, raw.ca_file};
  PT_ASSIGN(config.names, choose<AnnotationNames>("--annotation-names", raw.names,
                                                  {{"powertrace", AnnotationNames::kPowertrace},
                                                   {"rapl", AnnotationNames::kRapl}}));
  const char* host = std::getenv("KUBERNETES_SERVICE_HOST");
  const char* port = std::getenv("KUBERNETES_SERVICE_PORT");
  if (config.api_server.empty() && (host == nullptr || port == nullptr)) {
    return fail(ErrorCode::kUsage,
                "--node-annotations: this is no pod, so give --api-server, --token-file and "
                "--ca-file");
  }
  if (config.api_server.empty()) {
    const bool six = std::string_view(host).find(':') != std::string_view::npos;
    config.api_server =
        fmt::format("https://{}{}{}:{}", six ? "[" : "", host, six ? "]" : "", port);
  }
  config.token_file =
      config.token_file.empty() ? std::string(kAccount) + "token" : config.token_file;
  config.ca_file = config.ca_file.empty() && raw.api_server.empty()
                       ? std::string(kAccount) + "ca.crt"
                       : config.ca_file;
  return std::optional(std::move(config));
}

Result<CapOptions> check(const RawCap& raw, bool enforce) {
  CapOptions cap;
  cap.enforce = enforce;
  PT_ASSIGN(cap.policy, check_policy(raw.policy));
  cap.floor = raw.policy.floor;
  cap.ceiling = raw.policy.ceiling;
  PT_ASSIGN(cap.limiter, check_limiter(raw.policy));
  PT_ASSIGN(cap.stale_after_s, check_stale_after(raw.policy));
  PT_ASSIGN(cap.tariff, check_tariff(raw.policy));
  PT_ASSIGN(cap.tick_ns, at_option("--tick", parse_duration_ns(raw.tick)));
  if (cap.tick_ns < 1'000'000 || cap.tick_ns > 60'000'000'000U) {
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
  cap.area = raw.policy.area;
  cap.provider = raw.policy.provider;
  cap.with_short_term = raw.pl2;
  cap.i_know = raw.i_know;
  cap.write = raw.write;
  cap.enabled = raw.enabled;
  cap.guardian = !raw.no_guardian;
  cap.json = raw.json;
  cap.profile = raw.profile;
  cap.listen = raw.listen;
  PT_ASSIGN(cap.annotations, check_annotations(raw));
  return cap;
}

}  // namespace

void add_cap(CommandLine& line) {
  auto raw = std::make_shared<RawCap>();
  CLI::App* cap = line.app.add_subcommand("cap", "Power limits that follow a market, safely");
  add_options(*cap, *raw);
  cap->require_subcommand(1);
  line.checks.emplace_back("cap", [raw](const GlobalOptions&) -> Status {
    constexpr double kAnyWatts = 100;
    PT_ASSIGN(const CapOptions options, check(*raw, false));
    PT_TRY(check_policy(options.policy, {1, kAnyWatts}));
    PT_TRY(at_option("--floor", parse_power_bound(options.floor, kAnyWatts)));
    PT_TRY(at_option("--ceiling", parse_power_bound(options.ceiling, kAnyWatts)));
    if (!options.listen.empty()) {
      PT_TRY(at_option("--listen", parse_listen_address(options.listen)));
    }
    return {};
  });
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
        return run_cap_restore(global, {raw->state_dir, raw->json, raw->metrics, raw->stop});
      });
  add("status", "What the running controller does, and what its limits cost whom",
      [raw](const GlobalOptions&) {
        return run_cap_status({raw->state_dir, raw->json, raw->metrics});
      });
}

}  // namespace powertrace
