// SPDX-License-Identifier: Apache-2.0
//
// The cost model of the options, the environment and what the market's store holds.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "cost/settings.hpp"

namespace powertrace {

// --price and --carbon may say "market" or "market:AREA".
struct CostModelOptions {
  CostSettings rates;
  std::string market_dir;
};

// Whether they could be used, as far as can be told without the market's store.
Status check_rates(const CostModelOptions& options);

// What is doubtful is logged.
Result<CostModel> open_cost_model(const CostModelOptions& options);

// For services: reads the market's store again every few minutes, and keeps what it had where that
// fails. Any thread.
Result<std::function<std::shared_ptr<const CostModel>()>> open_live_cost_model(
    const CostModelOptions& options);

}  // namespace powertrace
