// SPDX-License-Identifier: Apache-2.0
//
// What kind of work a workload does, from how it behaves. Fixed rules, documented in docs/cost.md:
// the same figures give the same class on every machine. Each class asks for some features to be
// above or below a threshold; the weakest of its conditions is its score, and the best score wins.
// Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace powertrace {

enum class WorkloadClass : std::uint8_t {
  kIdle,
  kCpuBound,
  kMemoryBound,
  kIoBound,
  kBursty,
  kPeriodic,
  kTrainingLike,
  kServingLike,
};
inline constexpr std::size_t kWorkloadClasses = 8;

std::string_view workload_class_name(WorkloadClass value);  // "cpu-bound"
Result<WorkloadClass> parse_workload_class(std::string_view text);
std::string_view workload_class_about(WorkloadClass value);

// Means over some minutes. What is not known is left out.
struct Features {
  double cpu_cores = 0;                      // CPU seconds per second
  std::optional<double> duty_cycle = {};     // share of the time in which it ran at all, 0 to 1
  std::optional<double> run_length_ms = {};  // mean time on a CPU between switches
  std::optional<double> ipc = {};            // instructions per cycle
  std::optional<double> switches_per_second = {};
  std::optional<double> burstiness = {};      // standard deviation / mean of the CPU time
  std::optional<double> period_seconds = {};  // of the strongest rhythm
  std::optional<double> periodicity = {};     // its autocorrelation, 0 to 1
  std::optional<double> gpu_share = {};       // GPU energy / energy, 0 to 1
};

struct Classification {
  WorkloadClass type = WorkloadClass::kIdle;
  double confidence = 0;                          // 0.5: a tie with the next class; 1: no doubt
  bool from_label = false;                        // powertrace.io/workload-type says so
  std::array<double, kWorkloadClasses> scores{};  // by class
};

Classification classify(const Features& features);

// A label that names a class wins over the figures; any other text is ignored.
Classification classify(const Features& features, std::string_view label);

// Burstiness and period of CPU time per interval, oldest first. Nothing for fewer than 8 intervals.
struct Rhythm {
  double burstiness = 0;
  double period_intervals = 0;  // 0: none found
  double periodicity = 0;
};
std::optional<Rhythm> find_rhythm(const std::vector<double>& cpu_per_interval);

}  // namespace powertrace
