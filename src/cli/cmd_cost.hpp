// SPDX-License-Identifier: Apache-2.0
//
// powertrace cost: what energy costs, from the node's history, a Prometheus or by hand.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "accounting/report.hpp"
#include "base/result.hpp"
#include "cli/cost_model.hpp"
#include "cli/options.hpp"
#include "history/prometheus_store.hpp"

namespace powertrace {

struct EstimateOptions {
  CostModelOptions rates;
  double watts = 0;
  double hours = 0;
  bool json = false;
};

enum class CostFormat : std::uint8_t { kTable, kJson, kCsv };

struct CostOptions {
  CostModelOptions rates;
  std::string history;                                // file
  std::optional<PrometheusStoreConfig> prometheus{};  // instead of the file
  CostQuestion question;
  CostFormat format = CostFormat::kTable;
};

Result<int> run_cost(const CostOptions& options);
Result<int> run_cost_estimate(const EstimateOptions& options);

}  // namespace powertrace
