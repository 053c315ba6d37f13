// SPDX-License-Identifier: Apache-2.0
#include "cost/units.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <optional>
#include <utility>

#include "base/parse.hpp"

namespace powertrace {
namespace {

struct Quantity {
  double value = 0;
  std::string of;   // "EUR", "g"
  std::string per;  // "kWh"; empty: there was no slash
};

// "0.12 EUR / kWh" -> 0.12, "EUR", "kWh"
std::optional<Quantity> split(std::string_view text) {
  std::string compact;
  std::remove_copy_if(text.begin(), text.end(), std::back_inserter(compact),
                      [](char c) { return c == ' '; });
  std::size_t unit_at = compact.find_first_not_of("0123456789.+-");
  // "1e3EUR": the exponent belongs to the number, "1EUR" has none.
  if (unit_at != std::string::npos && unit_at + 1 < compact.size() &&
      (compact[unit_at] == 'e' || compact[unit_at] == 'E') &&
      std::string_view("0123456789+-").find(compact[unit_at + 1]) != std::string_view::npos) {
    unit_at = compact.find_first_not_of("0123456789+-", unit_at + 1);
  }
  if (unit_at == std::string::npos || unit_at == 0) {
    return std::nullopt;
  }
  const std::size_t sign = compact[0] == '+' ? 1 : 0;
  const auto value = parse_double(std::string_view(compact).substr(sign, unit_at - sign));
  if (!value) {
    return std::nullopt;
  }
  const std::size_t slash = compact.find('/', unit_at);
  Quantity quantity;
  quantity.value = *value;
  quantity.of = compact.substr(unit_at, slash - unit_at);
  quantity.per = slash == std::string::npos ? "" : compact.substr(slash + 1);
  return quantity;
}

template <std::size_t N>
std::optional<double> scale_of(std::string_view unit,
                               const std::array<std::pair<std::string_view, double>, N>& units) {
  for (const auto& [name, scale] : units) {
    if (unit == name) {
      return scale;
    }
  }
  return std::nullopt;
}

struct Currency {
  std::string code;
  double scale = 1;
};

std::optional<Currency> parse_currency(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kSigns{
      {{"€", "EUR"}, {"$", "USD"}, {"£", "GBP"}}};
  for (const auto& [sign, code] : kSigns) {
    if (text == sign) {
      return Currency{std::string(code), 1};
    }
  }
  if (text == "ct") {
    return Currency{"EUR", 0.01};
  }
  const bool letters = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  });
  if (text.size() != 3 || !letters) {
    return std::nullopt;
  }
  Currency currency{std::string(text), 1};
  std::transform(currency.code.begin(), currency.code.end(), currency.code.begin(), [](char c) {
    return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  });
  return currency;
}

constexpr std::array<std::pair<std::string_view, double>, 4> kEnergyPerKwh{
    {{"kWh", 1}, {"kwh", 1}, {"MWh", 1e-3}, {"mwh", 1e-3}}};
constexpr std::array<std::pair<std::string_view, double>, 4> kGrams{
    {{"g", 1}, {"kg", 1e3}, {"t", 1e6}, {"lb", 453.59237}}};

// "gCO2", "gCO2e", "gCO2eq" are grams.
std::string_view without_substance(std::string_view unit) {
  for (const std::string_view suffix : {"CO2eq", "CO2e", "CO2"}) {
    if (unit.size() > suffix.size() && unit.substr(unit.size() - suffix.size()) == suffix) {
      return unit.substr(0, unit.size() - suffix.size());
    }
  }
  return unit;
}

tl::unexpected<Error> bad(std::string_view text, std::string_view what) {
  return fail(ErrorCode::kUsage, "\"{}\" is not {}", text, what);
}

}  // namespace

Result<Price> parse_energy_price(std::string_view text) {
  const auto quantity = split(text);
  const auto currency = quantity ? parse_currency(quantity->of) : std::nullopt;
  const auto per = quantity ? scale_of(quantity->per, kEnergyPerKwh) : std::nullopt;
  if (!currency || !per) {
    return bad(text, "a price of energy: write it with its units, as in 0.12EUR/kWh or 95EUR/MWh");
  }
  return Price{quantity->value * currency->scale * *per, currency->code};
}

Result<Price> parse_carbon_price(std::string_view text) {
  const auto quantity = split(text);
  const auto currency = quantity ? parse_currency(quantity->of) : std::nullopt;
  const auto grams = quantity ? scale_of(without_substance(quantity->per), kGrams) : std::nullopt;
  if (!currency || !grams || quantity->value < 0) {
    return bad(text, "a price of carbon: write it with its units, as in 0.05EUR/kg or 80EUR/t");
  }
  return Price{quantity->value * currency->scale * 1e3 / *grams, currency->code};
}

Result<double> parse_carbon_intensity(std::string_view text) {
  const auto quantity = split(text);
  const auto grams = quantity ? scale_of(without_substance(quantity->of), kGrams) : std::nullopt;
  const auto per = quantity ? scale_of(quantity->per, kEnergyPerKwh) : std::nullopt;
  if (!grams || !per || quantity->value < 0) {
    return bad(text, "a carbon intensity: write it with its units, as in 400g/kWh");
  }
  return quantity->value * *grams * *per;
}

Result<double> parse_mass_g(std::string_view text) {
  const auto quantity = split(text);
  const auto grams = quantity && quantity->per.empty()
                         ? scale_of(without_substance(quantity->of), kGrams)
                         : std::nullopt;
  if (!grams || quantity->value < 0) {
    return bad(text, "a mass of CO2e: write it with its unit, as in 1200kg");
  }
  return quantity->value * *grams;
}

Result<double> check_pue(double pue) {
  if (!std::isfinite(pue) || pue < 1 || pue > 10) {
    return fail(ErrorCode::kUsage,
                "{} is not a PUE: it is the facility's energy over that of its machines, 1 or "
                "more (1.3 means 30 % for cooling and losses)",
                pue);
  }
  return pue;
}

}  // namespace powertrace
