// SPDX-License-Identifier: Apache-2.0
//
// The last hour of the node and the last minutes of its containers, in memory. The loop adds, any
// thread reads.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "serve/account_view.hpp"

namespace powertrace {

struct NodePoint {
  std::uint64_t end_ms = 0;  // since the epoch
  double seconds = 0;
  KindEnergy energy_nj{};
  KindEnergy idle_nj{};
  std::uint64_t run_ns = 0;
  std::uint64_t capacity_ns = 0;
};

// One container over a range, or one of the remainders.
struct ContainerUse {
  std::string id;
  WorkloadIdentity who;  // of a remainder: empty
  bool terminated = false;
  KindEnergy energy_nj{};
  std::uint64_t run_ns = 0;
};

struct RangeUse {
  std::uint64_t start_ms = 0;
  std::uint64_t end_ms = 0;
  double asked_seconds = 0;
  NodePoint node;  // of the same range
  std::vector<ContainerUse> containers;
  [[nodiscard]] double seconds() const { return static_cast<double>(end_ms - start_ms) / 1e3; }
};

inline constexpr std::uint64_t kMaxRangeNs = 600'000'000'000;

class PowerHistory {
 public:
  void add(const AccountViewPtr& account);

  // The node, a point per ten seconds, oldest first.
  [[nodiscard]] std::vector<NodePoint> hour() const;

  // What was used in the last `range_ns`, or since the start if that is later. Before the first
  // add(): nothing.
  [[nodiscard]] RangeUse range(std::uint64_t range_ns) const;

 private:
  struct ContainerMark {
    KindEnergy energy_nj{};
    std::uint64_t run_ns = 0;
  };
  // Counters as they stood at one moment.
  struct Mark {
    std::uint64_t time_ns = 0;
    std::uint64_t time_ms = 0;
    NodePoint node;
    std::unordered_map<std::string, ContainerMark> containers;
  };
  static Mark mark_of(const AccountView& account);

  mutable std::mutex mutex_;
  AccountViewPtr latest_;
  std::uint64_t point_from_ns_ = 0;
  NodePoint counters_;  // as they stood at the last point
  std::deque<NodePoint> points_;
  std::deque<Mark> marks_;
};

}  // namespace powertrace
