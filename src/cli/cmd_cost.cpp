// SPDX-License-Identifier: Apache-2.0
#include "cli/cmd_cost.hpp"

#include <string>

#include "accounting/estimate.hpp"
#include "base/clock.hpp"
#include "cli/exit_code.hpp"
#include "cli/output.hpp"
#include "history/database.hpp"

namespace powertrace {

namespace {

Result<std::unique_ptr<HistoryStore>> open_store(const CostOptions& options) {
  if (options.prometheus) {
    PT_ASSIGN(std::unique_ptr<HistoryStore> store, PrometheusStore::create(*options.prometheus));
    return store;
  }
  PT_ASSIGN(std::unique_ptr<HistoryStore> store, HistoryDatabase::open_read_only(options.history));
  return store;
}

}  // namespace

Result<int> run_cost(const CostOptions& options) {
  PT_ASSIGN(const CostModel model, open_cost_model(options.rates));
  PT_ASSIGN(const std::unique_ptr<HistoryStore> store, open_store(options));
  PT_ASSIGN(const CostReport report, report_cost(*store, model, options.question));
  PT_TRY(write_stdout(options.format == CostFormat::kJson  ? cost_json(model, report) + "\n"
                      : options.format == CostFormat::kCsv ? cost_csv(model, report)
                                                           : cost_table(model, report)));
  return kExitOk;
}

Result<int> run_cost_estimate(const EstimateOptions& options) {
  PT_ASSIGN(const CostModel model, open_cost_model(options.rates));
  const auto now = static_cast<UtcMs>(realtime_ns() / 1'000'000U);
  PT_ASSIGN(const Estimate estimate, estimate_cost(model, options.watts, options.hours, now));
  PT_TRY(write_stdout(options.json ? estimate_json(model, estimate) + "\n"
                                   : estimate_text(model, estimate)));
  return kExitOk;
}

}  // namespace powertrace
