// SPDX-License-Identifier: Apache-2.0
#include "cost/settings.hpp"

#include <fmt/format.h>

#include "base/parse.hpp"
#include "cost/units.hpp"

namespace powertrace {
namespace {

template <typename T>
Result<T> at(std::string_view name, Result<T> parsed) {
  if (!parsed) {
    return tl::make_unexpected(with_context(parsed.error(), std::string(name)));
  }
  return parsed;
}

// "0.12" means what the original collector documented; "0.12EUR/kWh" says it itself.
std::string with_unit(const std::string& text, std::string_view unit) {
  return parse_double(text) ? text + std::string(unit) : text;
}

Status cooling_to_pue(CostSettings& settings,
                      const std::string& text,
                      std::vector<std::string>& warnings) {
  PT_ASSIGN(const double factor, at("COOLING_FACTOR", parse_double(text)));
  if (factor < 0) {
    return fail(ErrorCode::kUsage,
                "COOLING_FACTOR: {} is negative; give a PUE (1.3) or the overhead alone (0.3)",
                text);
  }
  const double pue = factor < 1 ? 1 + factor : factor;
  settings.pue = fmt::format("{}", pue);
  warnings.push_back(fmt::format(
      "COOLING_FACTOR={} is read as PUE {}: the facility's energy is {} x the measured energy "
      "(the original collector added it on top, and so charged {} x)",
      text, pue, pue, 1 + factor));
  return {};
}

}  // namespace

Status fill_from_environment(CostSettings& settings,
                             const Environment& environment,
                             std::vector<std::string>& warnings) {
  const auto rate = environment("ELECTRICITY_RATE");
  if (settings.price.empty() && rate) {
    settings.price = with_unit(*rate, "USD/kWh");
    PT_TRY(at("ELECTRICITY_RATE", parse_energy_price(settings.price)));
    if (settings.price != *rate) {
      warnings.push_back(
          fmt::format("ELECTRICITY_RATE={} has no currency: it is read as {} (write "
                      "0.12EUR/kWh for another one)",
                      *rate, settings.price));
    }
  }
  if (const auto cooling = environment("COOLING_FACTOR"); settings.pue.empty() && cooling) {
    PT_TRY(cooling_to_pue(settings, *cooling, warnings));
  }
  if (const auto intensity = environment("CARBON_INTENSITY");
      settings.carbon.empty() && intensity) {
    settings.carbon = with_unit(*intensity, "g/kWh");
    PT_TRY(at("CARBON_INTENSITY", parse_carbon_intensity(settings.carbon)));
  }
  if (const auto carbon = environment("CARBON_RATE"); settings.carbon_price.empty() && carbon) {
    const std::string text = with_unit(*carbon, "USD/kg");
    PT_TRY(at("CARBON_RATE", parse_carbon_price(text)));
    if (settings.carbon.empty()) {
      warnings.push_back(fmt::format(
          "CARBON_RATE={} is a price per kg of CO2, and kWh are no kg: without the grid's carbon "
          "intensity there is no carbon cost (set CARBON_INTENSITY=400 for 400 g/kWh)",
          *carbon));
    } else {
      settings.carbon_price = text;
      warnings.push_back(fmt::format(
          "CARBON_RATE={} is read as {}: kWh x intensity x price (the original collector left the "
          "intensity out)",
          *carbon, text));
    }
  }
  return {};
}

Status set_currency(CostModel& model, const std::string& currency, std::string_view of) {
  if (!model.currency.empty() && model.currency != currency) {
    return fail(ErrorCode::kUsage, "{} is in {}, but the other price is in {}: use one currency",
                of, currency, model.currency);
  }
  model.currency = currency;
  return {};
}

Result<CostModel> make_cost_model(const CostSettings& settings) {
  CostModel model;
  if (!settings.pue.empty()) {
    PT_ASSIGN(const double pue, at("--pue", parse_double(settings.pue)));
    PT_ASSIGN(model.pue, at("--pue", check_pue(pue)));
  }
  if (!settings.platform_factor.empty()) {
    PT_ASSIGN(model.platform_factor,
              at("--platform-factor", parse_double(settings.platform_factor)));
  }
  if (!settings.price.empty()) {
    PT_ASSIGN(const Price price, at("--price", parse_energy_price(settings.price)));
    PT_TRY(set_currency(model, price.currency, "--price"));
    model.price = Curve::constant(price.value);
    model.price_source = "flat";
  }
  if (!settings.carbon.empty()) {
    PT_ASSIGN(const double intensity, at("--carbon", parse_carbon_intensity(settings.carbon)));
    model.intensity = Curve::constant(intensity);
    model.carbon_source = "flat";
  }
  model.carbon_basis = settings.carbon_basis.empty() ? "average" : settings.carbon_basis;
  if (model.carbon_basis != "average" && model.carbon_basis != "marginal") {
    return fail(ErrorCode::kUsage, "--carbon-basis: \"{}\" is not average or marginal",
                model.carbon_basis);
  }
  if (!settings.carbon_price.empty()) {
    PT_ASSIGN(const Price price, at("--carbon-price", parse_carbon_price(settings.carbon_price)));
    PT_TRY(set_currency(model, price.currency, "--carbon-price"));
    model.carbon_price = price.value;
  }
  if (settings.embodied.empty() != settings.lifetime.empty()) {
    return fail(ErrorCode::kUsage,
                "--embodied and --lifetime go together: what making the machine emitted, and the "
                "hours it is used for (35040h are 4 years)");
  }
  if (!settings.embodied.empty()) {
    PT_ASSIGN(const double total_g, at("--embodied", parse_mass_g(settings.embodied)));
    PT_ASSIGN(const std::uint64_t ns, at("--lifetime", parse_duration_ns(settings.lifetime)));
    model.embodied = Embodied{total_g, static_cast<double>(ns) / 3.6e12};
  }
  return model;
}

}  // namespace powertrace
