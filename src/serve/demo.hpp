// SPDX-License-Identifier: Apache-2.0
//
// Demonstration: a node that does not exist, with four containers, for dashboards and tests on any
// machine and without any privilege. The same seed gives the same numbers. It goes by the source
// "demo", which is never measured. Loop thread only.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <string_view>
#include <vector>

#include "energy/synthetic_config.hpp"
#include "model/snapshot.hpp"

namespace powertrace {

enum class DemoProfile : std::uint8_t { kIdle, kModerate, kHeavy };
Result<DemoProfile> parse_demo_profile(std::string_view text);  // "idle", "moderate", "heavy"

struct DemoConfig {
  DemoProfile profile = DemoProfile::kModerate;
  std::uint64_t seed = 1;
  SyntheticConfig power;  // the node's; without a curve the seed's formula
};

class Demo {
 public:
  explicit Demo(const DemoConfig& config);

  // The interval from the last one's end, so many ns long. `realtime_ns`: CLOCK_REALTIME at its
  // end.
  SnapshotPtr next(std::uint64_t end_ns, std::uint64_t length_ns, std::uint64_t realtime_ns);

 private:
  static constexpr std::size_t kContainers = 4;
  static constexpr unsigned kCpus = 4;
  struct Workload {
    std::shared_ptr<const ProcessIdentity> process;
    std::shared_ptr<const CgroupIdentity> cgroup;
    double watts = 0;
  };

  double walk(double value, double step, double low, double high);
  void add_zones(Snapshot& snapshot, const NodePower& power, double seconds) const;
  void add_tasks(Snapshot& snapshot, const NodePower& power) const;

  SyntheticModel model_;
  std::mt19937_64 random_;
  double least_watts_ = 0;  // of a container
  double most_watts_ = 0;
  double cpu_percent_ = 0;
  double memory_gb_ = 0;
  std::uint64_t sequence_ = 0;
  std::array<Workload, kContainers> containers_;
  Workload system_;  // takes the rest
};

}  // namespace powertrace
