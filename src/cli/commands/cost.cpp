// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/parse.hpp"
#include "cli/cmd_cost.hpp"
#include "cli/commands/command.hpp"
#include "cli/commands/cost_options.hpp"
#include "cli/commands/market_values.hpp"
#include "cli/commands/prometheus_options.hpp"
#include "cli/commands/values.hpp"

namespace powertrace {
namespace {

struct RawCost {
  CostModelOptions rates;
  RawPrometheus prometheus;
  std::string watts, hours;
  std::string by = "namespace", from, to, last = "24h", zone = "UTC", history = kDefaultHistory;
  WorkloadFilter filter;
  bool json = false, csv = false;
};

Result<CostOptions> check(const RawCost& raw) {
  CostOptions options;
  if (raw.json && raw.csv) {
    return fail(ErrorCode::kUsage, "--json and --csv exclude each other");
  }
  options.rates = raw.rates;
  options.history = raw.history;
  if (!raw.prometheus.url.empty()) {
    PT_ASSIGN(options.prometheus, check_prometheus(raw.prometheus));
  }
  options.format = raw.json ? CostFormat::kJson : raw.csv ? CostFormat::kCsv : CostFormat::kTable;
  options.question.filter = raw.filter;
  PT_ASSIGN(options.question.by, at_option("--by", parse_cost_by(raw.by)));
  PT_ASSIGN(options.question.zone, at_option("--tz", TimeZone::find(raw.zone)));
  TimeRange& range = options.question.range;
  // Of a minute that is not over, the history knows what was used, not when.
  range.end = (static_cast<UtcMs>(realtime_ns() / 1'000'000U) / kMinuteMs + 1) * kMinuteMs;
  if (!raw.to.empty()) {
    PT_ASSIGN(range.end, at_option("--to", parse_rfc3339(raw.to)));
  }
  PT_ASSIGN(const std::uint64_t last_ns, at_option("--last", parse_duration_ns(raw.last)));
  range.start = range.end - static_cast<UtcMs>(last_ns / 1'000'000U);
  if (!raw.from.empty()) {
    PT_ASSIGN(range.start, at_option("--from", parse_rfc3339(raw.from)));
  }
  return options;
}

Result<EstimateOptions> check_estimate(const RawCost& raw) {
  if (raw.watts.empty() || raw.hours.empty()) {
    return fail(ErrorCode::kUsage, "cost estimate: give --watts and --hours");
  }
  EstimateOptions options;
  options.rates = raw.rates;
  options.json = raw.json;
  PT_ASSIGN(options.watts, at_option("--watts", parse_double(raw.watts)));
  PT_ASSIGN(options.hours, at_option("--hours", parse_double(raw.hours)));
  return options;
}

void add_estimate(CommandLine& line, CLI::App& cost, const std::shared_ptr<RawCost>& raw) {
  CLI::App* estimate = cost.add_subcommand("estimate", "What a steady power costs over some hours");
  estimate->add_option("--watts", raw->watts, "power of the machine")->type_name("W");
  estimate->add_option("--hours", raw->hours, "for how long")->type_name("H");
  add_cost_options(*estimate, raw->rates);
  estimate->add_flag("--json", raw->json, "print one JSON object");
  estimate->callback([&line, raw] {
    line.run = [raw](const GlobalOptions&) -> Result<int> {
      PT_ASSIGN(const EstimateOptions options, check_estimate(*raw));
      return run_cost_estimate(options);
    };
  });
}

}  // namespace

void add_cost_options(CLI::App& command, CostModelOptions& options) {
  CostSettings& settings = options.rates;
  options.market_dir = kMarketDir;
  command.add_option("--price", settings.price, "of energy: 0.12EUR/kWh, or market[:AREA]")
      ->type_name("PRICE");
  command.add_option("--pue", settings.pue, "facility energy / IT energy, from 1")
      ->type_name("RATIO");
  command
      .add_option("--platform-factor", settings.platform_factor,
                  "IT energy / measured energy: power supplies, fans, disks; from 1")
      ->type_name("RATIO");
  command
      .add_option("--carbon", settings.carbon, "intensity of the grid: 400g/kWh, or market[:AREA]")
      ->type_name("INTENSITY");
  command.add_option("--carbon-basis", settings.carbon_basis,
                     "what the intensity is: average, marginal");
  command.add_option("--carbon-price", settings.carbon_price, "of CO2e, such as 0.05EUR/kg")
      ->type_name("PRICE");
  command.add_option("--embodied", settings.embodied, "what making the machine emitted: 1200kg")
      ->type_name("MASS");
  command.add_option("--lifetime", settings.lifetime, "of the machine, such as 35040h")
      ->type_name("DURATION");
  command
      .add_option("--market-dir", options.market_dir, "what market fetch and import have stored")
      ->type_name("DIR");
}

void add_cost(CommandLine& line) {
  auto raw = std::make_shared<RawCost>();
  CLI::App* cost = line.app.add_subcommand("cost", "Energy as money and CO2e");
  cost->add_option("--by", raw->by,
                   "rows: namespace, pod, container, workload, cgroup, user, node, hour, day");
  cost->add_option("--from", raw->from, "begin, with its zone: 2026-01-02T00:00:00Z")
      ->type_name("TIME");
  cost->add_option("--to", raw->to, "end; without it, now")->type_name("TIME");
  cost->add_option("--last", raw->last, "instead of --from: so long before the end")
      ->type_name("DURATION");
  cost->add_option("--tz", raw->zone, "zone of hours and days, such as Europe/Paris")
      ->type_name("ZONE");
  cost->add_option("--namespace", raw->filter.name_space, "only this one")->type_name("NAME");
  cost->add_option("--workload", raw->filter.workload,
                   "only this one: namespace/pod, pod uid, container id or cgroup")
      ->type_name("ID");
  cost->add_option("--history", raw->history, "the node's history, as serve keeps it")
      ->type_name("FILE");
  add_prometheus_options(*cost, raw->prometheus);
  add_cost_options(*cost, raw->rates);
  cost->add_flag("--json", raw->json, "one JSON object");
  cost->add_flag("--csv", raw->csv, "a line per row");
  add_estimate(line, *cost, raw);
  line.checks.emplace_back("cost", [raw](const GlobalOptions&) -> Status {
    PT_ASSIGN(const CostOptions options, check(*raw));
    return check_rates(options.rates);
  });
  cost->callback([&line, cost, raw] {
    if (!cost->get_subcommands().empty()) {
      return;
    }
    line.run = [raw](const GlobalOptions&) -> Result<int> {
      PT_ASSIGN(const CostOptions options, check(*raw));
      return run_cost(options);
    };
  });
}

}  // namespace powertrace
