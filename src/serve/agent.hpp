// SPDX-License-Identifier: Apache-2.0
//
// The node agent without its sockets: snapshots go in, answers to HTTP requests come out. add() and
// configure() are the loop's; the routes' handlers run on any thread and must not outlive it.
#pragma once

#include <cstdint>
#include <functional>

#include "base/sysroot.hpp"
#include "serve/account.hpp"
#include "serve/metrics_endpoint.hpp"
#include "serve/power_history.hpp"
#include "serve/published.hpp"
#include "serve/router.hpp"

namespace powertrace {

struct AgentConfig {
  AccountConfig account;
  PageConfig page;
  std::size_t max_series = 100'000;  // on the whole page, about; 0: no limit
  std::uint64_t interval_ns = 1'000'000'000;
};

class Agent {
 public:
  Agent(const SysRoot& root, AgentConfig config, std::function<ServerStats()> stats);

  void add(const SnapshotPtr& snapshot);
  // Takes effect with the next snapshot.
  void configure(AgentConfig config);

  void add_routes(Router& router);

  [[nodiscard]] const Board& board() const { return board_; }
  [[nodiscard]] const PowerHistory& history() const { return history_; }

 private:
  [[nodiscard]] AccountConfig account_config(const AgentConfig& config) const;

  AgentConfig config_;
  std::shared_ptr<const PageConfig> page_;
  std::size_t zone_kinds_ = 0;  // 0: not known before the first snapshot
  Account account_;
  Board board_;
  PowerHistory history_;
  MetricsEndpoint metrics_;
};

}  // namespace powertrace
