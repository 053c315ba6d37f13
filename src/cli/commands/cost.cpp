// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>

#include "base/parse.hpp"
#include "cli/cmd_cost.hpp"
#include "cli/commands/command.hpp"
#include "cli/commands/cost_options.hpp"
#include "cli/commands/values.hpp"

namespace powertrace {
namespace {

struct RawCost {
  CostSettings rates;
  std::string watts, hours;
  bool json = false;
};

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

void add_cost_options(CLI::App& command, CostSettings& settings) {
  command.add_option("--price", settings.price, "of energy, such as 0.12EUR/kWh")
      ->type_name("PRICE");
  command.add_option("--pue", settings.pue, "facility energy / IT energy, from 1")
      ->type_name("RATIO");
  command
      .add_option("--platform-factor", settings.platform_factor,
                  "IT energy / measured energy: power supplies, fans, disks; from 1")
      ->type_name("RATIO");
  command.add_option("--carbon", settings.carbon, "intensity of the grid, such as 400g/kWh")
      ->type_name("INTENSITY");
  command.add_option("--carbon-basis", settings.carbon_basis,
                     "what the intensity is: average, marginal");
  command.add_option("--carbon-price", settings.carbon_price, "of CO2e, such as 0.05EUR/kg")
      ->type_name("PRICE");
  command.add_option("--embodied", settings.embodied, "what making the machine emitted: 1200kg")
      ->type_name("MASS");
  command.add_option("--lifetime", settings.lifetime, "of the machine, such as 35040h")
      ->type_name("DURATION");
}

void add_cost(CommandLine& line) {
  auto raw = std::make_shared<RawCost>();
  CLI::App* cost = line.app.add_subcommand("cost", "Energy as money and CO2e");
  cost->require_subcommand(1);
  add_estimate(line, *cost, raw);
}

}  // namespace powertrace
