// SPDX-License-Identifier: Apache-2.0
//
// Prices and emission factors as people write them: a number, a currency or a mass, and "per what".
// Errors are kUsage and say what was expected. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace powertrace {

inline constexpr double kNanojoulesPerKwh = 3.6e15;

struct Price {
  double value = 0;      // per kWh, or per kg of CO2e
  std::string currency;  // ISO 4217, upper case; never empty
};

// "0.12EUR/kWh", "94.5 EUR/MWh", "12ct/kWh" (EUR cents), "0.12$/kWh". Negative prices exist.
Result<Price> parse_energy_price(std::string_view text);

// "0.05EUR/kg", "80 EUR/t". Not negative.
Result<Price> parse_carbon_price(std::string_view text);

// "400g/kWh", "400gCO2/kWh", "0.4kg/kWh", "400kg/MWh", "870lb/MWh" in g/kWh. Not negative.
Result<double> parse_carbon_intensity(std::string_view text);

// "1200kg", "1.2t", "500g" in grams. Not negative.
Result<double> parse_mass_g(std::string_view text);

// Power usage effectiveness: facility energy / IT energy, from 1 to 10.
Result<double> check_pue(double pue);

}  // namespace powertrace
