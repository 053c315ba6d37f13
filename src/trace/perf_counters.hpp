// SPDX-License-Identifier: Apache-2.0
//
// Hardware counters, one group per online CPU, handed to the BPF programs through maps. Loop
// thread only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "trace/bpf_object.hpp"

namespace powertrace {

struct CounterEvent {
  std::uint32_t type = 0;    // PERF_TYPE_*
  std::uint64_t config = 0;  // PERF_COUNT_*
};

// What this machine's PMU can do, found before the BPF object is loaded.
struct CounterSupport {
  std::vector<CounterEvent> events;  // cycles, instructions; cycles alone; or none
  std::string reason;                // why not both; empty if both
  std::string remedy;
};

// Tries on one online CPU. Never fails: no counters is a result.
CounterSupport probe_counters(int cpu);

class PerfCounters {
 public:
  explicit PerfCounters(std::vector<CounterEvent> events);

  // Opens the group on one CPU and gives it to the maps. Again after the CPU was offline.
  Status open_cpu(int cpu, const BpfObject& bpf);
  void close_cpu(int cpu);

  [[nodiscard]] bool enabled() const { return !events_.empty(); }
  [[nodiscard]] int count() const { return static_cast<int>(events_.size()); }

 private:
  std::vector<CounterEvent> events_;
  std::vector<std::vector<UniqueFd>> fds_;  // [cpu][counter]
};

}  // namespace powertrace
