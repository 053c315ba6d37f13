// SPDX-License-Identifier: Apache-2.0
//
// What the agent does with snapshots besides serving them: keeps the node's history, answers
// questions about cost from it, and pushes batches to other systems. add() is the loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/cost_model.hpp"
#include "history/writer.hpp"
#include "push/hub.hpp"
#include "serve/metrics_writer.hpp"
#include "serve/router.hpp"

namespace powertrace {

struct AgentOutputOptions {
  std::string node;
  CostModelOptions rates;
  std::string history;  // file; empty: none is kept
  HistoryLimits history_limits;
  std::uint64_t push_interval_ns = 10'000'000'000;
  // Addresses; empty: none.
  std::string redis, influx, remote_write, otlp, json_lines;
  std::string redis_password_file, influx_token_file, remote_write_token_file, otlp_token_file;
};

// What metrics() may print, for the reference.
std::span<const MetricFamily> agent_output_families();

class AgentOutputs {
 public:
  // Opens the history and the sinks; nothing is sent before the first snapshot.
  static Result<AgentOutputs> open(const AgentOutputOptions& options);

  void add(const SnapshotPtr& snapshot);
  // /api/v1/cost/..., /profile/..., /openapi.json. `this` must outlive the server.
  void add_routes(Router& router) const;
  // Their own figures, for the metrics page.
  [[nodiscard]] MetricSource metrics() const;

 private:
  std::shared_ptr<HistoryDatabase> database_;
  std::function<std::shared_ptr<const CostModel>()> model_;
  std::unique_ptr<HistoryWriter> writer_;
  std::unique_ptr<PushHub> hub_;
};

}  // namespace powertrace
