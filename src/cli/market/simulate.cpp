// SPDX-License-Identifier: Apache-2.0
#include "capping/simulate.hpp"

#include "cli/cmd_market.hpp"
#include "cli/exit_code.hpp"
#include "cli/output.hpp"
#include "market/store.hpp"

namespace powertrace {
namespace {

std::string percent(double part, double whole) {
  return whole != 0 ? fmt::format("{:+.1f} %", (part - whole) / std::abs(whole) * 100) : "-";
}

std::string as_json(const Simulation& simulation, const std::string& currency) {
  const auto number = [](const std::optional<double>& value) {
    return value ? fmt::format("{:.9g}", *value) : std::string("null");
  };
  std::string slots;
  for (const SimulatedSlot& slot : simulation.slots) {
    slots +=
        fmt::format(R"({}{{"start":"{}","end":"{}","value":{:.9g},"watts":{:.6g},"known":{}}})",
                    slots.empty() ? "" : ",", format_time(slot.slot.start_s),
                    format_time(slot.slot.end_s), slot.slot.value, slot.watts, slot.known);
  }
  return fmt::format(
      R"({{"hours":{:.9g},"mean_watts":{:.9g},"least_watts":{:.9g},"energy_kwh":{:.9g},"flat_energy_kwh":{:.9g},"cost":{},"flat_cost":{},"currency":"{}","carbon_kg":{},"flat_carbon_kg":{},"slots":[{}]}})"
      "\n",
      simulation.hours, simulation.mean_w, simulation.least_w, simulation.kwh, simulation.flat_kwh,
      number(simulation.cost), number(simulation.flat_cost), currency, number(simulation.kg),
      number(simulation.flat_kg), slots);
}

std::string as_text(const Simulation& simulation,
                    const MarketSimulateOptions& options,
                    const std::string& currency) {
  std::string text = fmt::format("{:<26} {:>10} {:>9}\n", "SLOT", "VALUE", "LIMIT W");
  for (const SimulatedSlot& slot : simulation.slots) {
    text += fmt::format(
        "{:<26} {:>10} {:>9.1f}\n", format_local(options.config.policy.zone, slot.slot.start_s),
        slot.known ? fmt::format("{:.4g}", slot.slot.value) : "no data", slot.watts);
  }
  text += fmt::format("\n{:<26} {:>12} {:>12} {:>10}\n", "", "FLAT", "CAPPED", "CHANGE");
  const auto row = [&text](const char* name, double flat, double capped) {
    text += fmt::format("{:<26} {:>12.3f} {:>12.3f} {:>10}\n", name, flat, capped,
                        percent(capped, flat));
  };
  row("mean power W", options.config.range.ceiling_w, simulation.mean_w);
  row("energy kWh", simulation.flat_kwh, simulation.kwh);
  if (simulation.cost) {
    row(("cost " + currency).c_str(), *simulation.flat_cost, *simulation.cost);
    row(("price " + currency + "/kWh").c_str(), *simulation.flat_cost / simulation.flat_kwh,
        *simulation.cost / simulation.kwh);
  }
  if (simulation.kg) {
    row("CO2 kg", *simulation.flat_kg, *simulation.kg);
    row("CO2 g/kWh", *simulation.flat_kg * 1000 / simulation.flat_kwh,
        *simulation.kg * 1000 / simulation.kwh);
  }
  return text + "\nBoth run as if the node always drew what it may: a bound, not a forecast.\n";
}

}  // namespace

Result<int> run_market_simulate(const MarketSimulateOptions& options) {
  const MarketStore store(options.market_dir);
  std::optional<Series> price;
  if (options.tariff) {
    PT_ASSIGN(price, tariff_series(*options.tariff, options.config.policy.zone, options.from_s,
                                   options.to_s));
  } else {
    price = store.find(Quantity::kPrice, options.area, "", options.from_s);
  }
  const std::optional<Series> carbon =
      store.find(Quantity::kCarbon, options.area, "", options.from_s);
  SimulationInput input{
      options.config, nullptr,     price ? &*price : nullptr, carbon ? &*carbon : nullptr,
      options.from_s, options.to_s};
  std::optional<Series> followed;
  if (const auto quantity = policy_input(options.config.policy)) {
    followed = *quantity == Quantity::kPrice && options.tariff
                   ? price
                   : store.find(*quantity, options.area, options.provider, options.from_s);
    if (!followed) {
      return fail(ErrorCode::kNotFound, "the policy {} needs a {}, and {} has none",
                  policy_name(options.config.policy.kind), quantity_name(*quantity),
                  options.market_dir);
    }
    input.followed = &*followed;
  }
  PT_ASSIGN(const Simulation simulation, simulate(input));
  const std::string currency = price ? price->info.currency : "";
  PT_TRY(write_stdout(options.json ? as_json(simulation, currency)
                                   : as_text(simulation, options, currency)));
  return kExitOk;
}

}  // namespace powertrace
