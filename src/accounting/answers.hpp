// SPDX-License-Identifier: Apache-2.0
//
// Answers of the REST service besides cost reports, as JSON. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "accounting/report.hpp"
#include "base/result.hpp"
#include "cost/model.hpp"
#include "history/store.hpp"

namespace powertrace {

// One workload with its parts: energy by kind, electricity of the machine and of the facility
// around it, carbon. kNotFound: nothing of that id used energy in the range.
Result<std::string> workload_json(HistoryStore& store,
                                  const CostModel& model,
                                  const std::string& id,
                                  TimeRange range);

// Energy and mean power by container ("data" or "containers") or node ("nodes"). `key` names the
// list.
Result<std::string> power_json(HistoryStore& store,
                               std::string_view key,
                               Dimension by,
                               TimeRange range,
                               const WorkloadFilter& filter,
                               Page page);

// The classes there are, and that of each workload over the range.
Result<std::string> workload_types_json(HistoryStore& store,
                                        TimeRange range,
                                        const WorkloadFilter& filter,
                                        Page page);

// A feature vector classified. The error's message lists all that is wrong with the body.
Result<std::string> classify_json(std::string_view body);

}  // namespace powertrace
