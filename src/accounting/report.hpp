// SPDX-License-Identifier: Apache-2.0
//
// Questions about the cost of the past, answered from a history: by namespace, pod, user, hour, day
// and so on. The command line and the REST service ask the same ones. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/wall_time.hpp"
#include "cost/model.hpp"
#include "cost/report.hpp"
#include "history/store.hpp"

namespace powertrace {

// Rows by who, or buckets by when.
using CostBy = std::variant<Dimension, Calendar>;
std::string_view cost_by_name(CostBy by);
Result<CostBy> parse_cost_by(std::string_view text);

struct CostQuestion {
  TimeRange range;
  CostBy by = Dimension::kNamespace;
  TimeZone zone = TimeZone::utc();
  WorkloadFilter filter{};
};

struct CostRow {
  std::string id;  // of by-who rows
  Workload who;
  TimeRange range;  // of by-when rows; else the whole range
  Cost cost;
  Usage use;            // of by-who rows
  double coverage = 0;  // share of the row's time in which somebody measured
};

struct CostReport {
  CostQuestion question;
  std::vector<CostRow> rows;  // by-who: dearest first; by-when: in order
  Cost total;                 // the sum of the rows
  Usage use;                  // of all
  double coverage = 0;
  bool measured = true;
  std::string source;  // the history's description
};

// kUsage for a range that is empty or longer than ten years.
Result<CostReport> report_cost(HistoryStore& store,
                               const CostModel& model,
                               const CostQuestion& question);

// Rows [first, first + count) only; the total stays that of all.
struct Page {
  std::size_t first = 0;
  std::size_t count = SIZE_MAX;
};

std::string cost_json(const CostModel& model, const CostReport& report, Page page = {});
std::string cost_csv(const CostModel& model, const CostReport& report);
std::string cost_table(const CostModel& model, const CostReport& report);

}  // namespace powertrace
