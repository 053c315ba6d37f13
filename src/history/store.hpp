// SPDX-License-Identifier: Apache-2.0
//
// Where energy of the past is asked for: a node's own database or a Prometheus. Implementations may
// be called from any thread. Errors are for people: kBusy when a store is down or slow, kMalformed
// when it answers garbage.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cost/report.hpp"
#include "history/workload.hpp"

namespace powertrace {

// Only what matches all that is not empty. Values are data, never a pattern or part of a query.
struct WorkloadFilter {
  std::string node{};
  std::string name_space{};
  std::string pod{};  // name
  std::string
      workload{};  // as group_id() of kPod, kContainer, kCgroup or kWorkload, or a pod's uid
  [[nodiscard]] bool empty() const {
    return node.empty() && name_space.empty() && pod.empty() && workload.empty();
  }
};

struct EnergyQuery {
  TimeRange range;
  UtcMs resolution_ms = kHourMs;  // no piece crosses a multiple of it, as far as it is still known
  std::optional<Dimension> by{};  // nullopt: one group of all
  WorkloadFilter filter{};
};

struct EnergyGroup {
  Workload who;
  Usage use;  // over the whole range; stores that do not know leave the activity 0
};

struct EnergyTable {
  std::vector<EnergyGroup> groups;
  std::vector<EnergyPiece> pieces;    // piece.group is an index into groups
  std::vector<CoveredPiece> covered;  // of one machine, or the mean of all
  bool measured = true;               // nothing of it is an estimate
};

// CPU time of one workload per step, oldest first.
struct Activity {
  Workload who;
  Usage use;  // over the whole range
  std::vector<double> cores;
  double intervals = 0;  // behind use.cores_squared; 0: not known
};

class HistoryStore {
 public:
  HistoryStore() = default;
  HistoryStore(const HistoryStore&) = delete;
  HistoryStore& operator=(const HistoryStore&) = delete;
  virtual ~HistoryStore() = default;

  [[nodiscard]] virtual std::string describe() const = 0;  // "history.db", "Prometheus at ..."
  virtual Result<EnergyTable> energy(const EnergyQuery& query) = 0;
  // By kWorkload, for workload classes. `step_ms` is a multiple of a minute.
  virtual Result<std::vector<Activity>> activity(TimeRange range,
                                                 UtcMs step_ms,
                                                 const WorkloadFilter& filter) = 0;
};

}  // namespace powertrace
