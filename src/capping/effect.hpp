// SPDX-License-Identifier: Apache-2.0
//
// What a limit costs whom: per workload, mean power, run time and speed while the node was free and
// while it was capped. Older time fades, so that both sides stay comparable. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace powertrace {

// One interval of one workload.
struct WorkloadSample {
  std::string name;
  double joules = 0;
  double cpu_s = 0;
  double cycles = 0;                // 0: not counted
  std::optional<double> stalled_s;  // waited for a CPU (PSI), in this interval
};

struct EffectSide {
  double time_s = 0;
  double watts = 0;
  double cpus = 0;                // CPUs kept busy: run time per time
  double ghz = 0;                 // cycles per run time; 0: unknown
  std::optional<double> stalled;  // share of the time
};

struct EffectRow {
  std::string name;
  EffectSide free;
  EffectSide capped;

  // 0.1: it ran at 90 % of its speed while capped; nullopt: one side is unknown.
  [[nodiscard]] std::optional<double> slower() const;
};

class EffectLedger {
 public:
  void add(std::span<const WorkloadSample> samples, double seconds, bool capped);

  // Greatest power first, at most `limit`; the rest is left out.
  [[nodiscard]] std::vector<EffectRow> rows(std::size_t limit) const;

 private:
  struct Sum {
    double time_s = 0;
    double joules = 0;
    double cpu_s = 0;
    double cycles = 0;
    double counted_cpu_s = 0;  // run time with cycles
    double stalled_s = 0;
    double stall_time_s = 0;  // time over which stalls are known
  };
  struct Sums {
    Sum free;
    Sum capped;
  };
  static EffectSide side(const Sum& sum, double time_s);
  void fade(bool capped);

  std::map<std::string, Sums> sums_;
  double free_s_ = 0;
  double capped_s_ = 0;
};

}  // namespace powertrace
