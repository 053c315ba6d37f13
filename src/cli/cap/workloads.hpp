// SPDX-License-Identifier: Apache-2.0
//
// A snapshot as samples of workloads, with how long each waited for a CPU (PSI). One thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/sysroot.hpp"
#include "capping/effect.hpp"
#include "model/rollup.hpp"

namespace powertrace {

class WorkloadSampler {
 public:
  WorkloadSampler(SysRoot root, Level level) : root_(std::move(root)), level_(level) {}

  std::vector<WorkloadSample> sample(const Snapshot& snapshot);

 private:
  std::optional<double> stalled_s(const std::string& name, const std::vector<std::string>& files);

  SysRoot root_;
  Level level_;
  std::map<std::string, std::uint64_t> stalled_us_;  // total of the last reading, by workload
  bool counting_ = false;                            // the counters ran from begin to end
};

}  // namespace powertrace
