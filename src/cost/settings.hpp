// SPDX-License-Identifier: Apache-2.0
//
// Cost settings as they are written in options, the configuration file and the environment, turned
// into a CostModel. Pure: the environment is handed in.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cost/model.hpp"

namespace powertrace {

// Empty: not given.
struct CostSettings {
  std::string price = {};            // "0.12EUR/kWh"
  std::string pue = {};              // "1.3"
  std::string platform_factor = {};  // "1.1"
  std::string carbon = {};           // "400g/kWh"
  std::string carbon_basis = {};     // "average" (the default) or "marginal"
  std::string carbon_price = {};     // "0.05EUR/kg"
  std::string embodied = {};         // "1200kg"
  std::string lifetime = {};         // "35040h"
};

using Environment = std::function<std::optional<std::string>(const char* name)>;

// Fills what is empty from the names that the original collector read: ELECTRICITY_RATE (per kWh),
// COOLING_FACTOR, CARBON_RATE (per kg), and CARBON_INTENSITY (g/kWh), which it lacked. What differs
// from the original's formula is said in `warnings`.
Status fill_from_environment(CostSettings& settings,
                             const Environment& environment,
                             std::vector<std::string>& warnings);

// kUsage names the option. A curve that is set later (from a market) replaces `price` or `carbon`.
Result<CostModel> make_cost_model(const CostSettings& settings);

// Both prices in one currency, or an error.
Status set_currency(CostModel& model, const std::string& currency, std::string_view of);

}  // namespace powertrace
