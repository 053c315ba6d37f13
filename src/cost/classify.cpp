// SPDX-License-Identifier: Apache-2.0
#include "cost/classify.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/choice.hpp"

namespace powertrace {
namespace {

constexpr std::array<Choice<WorkloadClass>, kWorkloadClasses> kNames{{
    {"idle", WorkloadClass::kIdle},
    {"cpu-bound", WorkloadClass::kCpuBound},
    {"memory-bound", WorkloadClass::kMemoryBound},
    {"io-bound", WorkloadClass::kIoBound},
    {"bursty", WorkloadClass::kBursty},
    {"periodic", WorkloadClass::kPeriodic},
    {"training-like", WorkloadClass::kTrainingLike},
    {"serving-like", WorkloadClass::kServingLike},
}};

constexpr std::array<Choice<WorkloadClass>, kWorkloadClasses> kAbout{{
    {"hardly runs: less than 1 % of a CPU", WorkloadClass::kIdle},
    {"computes in long runs with a good IPC", WorkloadClass::kCpuBound},
    {"computes in long runs, but waits for memory: low IPC", WorkloadClass::kMemoryBound},
    {"runs for moments between waits", WorkloadClass::kIoBound},
    {"its CPU time varies more than its mean, without a rhythm", WorkloadClass::kBursty},
    {"its CPU time has a rhythm", WorkloadClass::kPeriodic},
    {"steady use of a GPU", WorkloadClass::kTrainingLike},
    {"busy with many short runs, or with a GPU in bursts", WorkloadClass::kServingLike},
}};

// Thresholds. docs/cost.md shows the same table.
constexpr double kIdleCores = 0.01;
constexpr double kIdleGpu = 0.05;
constexpr double kBusyDuty = 0.5;
constexpr double kLongRunMs = 1.0;
constexpr double kGoodIpc = 0.8;
constexpr double kGpuWork = 0.2;
constexpr double kBursty = 1.0;
constexpr double kSteady = 0.6;
constexpr double kRhythm = 0.5;
constexpr double kRhythmBurstiness = 0.2;
constexpr double kManySwitches = 1000;

// What is unknown speaks weakly for a condition: a class that needs it can win, without confidence.
constexpr double kUnknown = 0.6;

// 0.5 at the threshold, 1 from twice as much, 0 up to half of it.
double above(std::optional<double> value, double threshold) {
  if (!value) {
    return kUnknown;
  }
  return *value <= 0 ? 0 : std::clamp(0.5 + std::log2(*value / threshold) / 2, 0.0, 1.0);
}
double below(std::optional<double> value, double threshold) {
  return value ? 1 - above(value, threshold) : kUnknown;
}
// The same for a share, whose scale ends at 1: linear, 0 and 1 a `threshold` away.
double share_above(double value, double threshold) {
  return std::clamp(0.5 + (value - threshold) / (2 * threshold), 0.0, 1.0);
}

std::array<double, kWorkloadClasses> score(const Features& f) {
  const double duty = f.duty_cycle.value_or(std::min(1.0, f.cpu_cores));
  const double gpu = f.gpu_share.value_or(0);
  const double burstiness = f.burstiness.value_or(0);
  const double periodicity = f.periodicity.value_or(0);
  const double runs = std::max(above(f.cpu_cores, kIdleCores), above(gpu, kIdleGpu));
  const double no_gpu = 1 - above(gpu, kGpuWork);
  const double steady = std::min(below(burstiness, kBursty), 1 - share_above(periodicity, kRhythm));
  const double busy = share_above(duty, kBusyDuty);
  const double long_runs = above(f.run_length_ms, kLongRunMs);
  const double short_runs = below(f.run_length_ms, kLongRunMs);

  std::array<double, kWorkloadClasses> scores{};
  const auto set = [&](WorkloadClass type, std::initializer_list<double> conditions) {
    double& best = scores[static_cast<std::size_t>(type)];
    best = std::max(best, std::min(conditions));
  };
  set(WorkloadClass::kIdle, {1 - runs});
  // A steady workload with long runs computes, even if something keeps it from being busy.
  const double computes = std::min({runs, std::max(busy, 0.5), long_runs, steady, no_gpu});
  set(WorkloadClass::kCpuBound, {computes, above(f.ipc, kGoodIpc)});
  set(WorkloadClass::kMemoryBound, {computes, f.ipc ? below(f.ipc, kGoodIpc) : 0});
  set(WorkloadClass::kIoBound, {runs, 1 - busy, short_runs, steady, no_gpu});
  set(WorkloadClass::kBursty,
      {runs, above(burstiness, kBursty), 1 - share_above(periodicity, kRhythm), no_gpu});
  set(WorkloadClass::kPeriodic,
      {runs, share_above(periodicity, kRhythm), above(burstiness, kRhythmBurstiness), no_gpu});
  set(WorkloadClass::kTrainingLike, {above(gpu, kGpuWork), below(burstiness, kSteady)});
  set(WorkloadClass::kServingLike, {above(gpu, kGpuWork), above(burstiness, kSteady)});
  set(WorkloadClass::kServingLike,
      {runs, busy, short_runs,
       f.switches_per_second ? above(f.switches_per_second, kManySwitches) : 0, steady, no_gpu});
  return scores;
}

}  // namespace

std::string_view workload_class_name(WorkloadClass value) {
  return choice_name(kNames, value);
}
std::string_view workload_class_about(WorkloadClass value) {
  return choice_name(kAbout, value);
}
Result<WorkloadClass> parse_workload_class(std::string_view text) {
  return parse_choice("a workload type", text, kNames);
}

Classification classify(const Features& features) {
  Classification result;
  result.scores = score(features);
  const auto best = std::max_element(result.scores.begin(), result.scores.end());
  result.type = static_cast<WorkloadClass>(best - result.scores.begin());
  double second = 0;
  for (auto other = result.scores.begin(); other != result.scores.end(); ++other) {
    second = other == best ? second : std::max(second, *other);
  }
  result.confidence = 0.5 + (*best - second) / 2;
  return result;
}

Classification classify(const Features& features, std::string_view label) {
  Classification result = classify(features);
  if (const auto named = parse_workload_class(label)) {
    result.type = *named;
    result.confidence = 1;
    result.from_label = true;
  }
  return result;
}

std::optional<Rhythm> find_rhythm(const std::vector<double>& cpu) {
  constexpr std::size_t kFewest = 8;
  constexpr double kClearlyMore = 0.05;  // or the period itself would lose to its multiples
  const std::size_t n = cpu.size();
  if (n < kFewest) {
    return std::nullopt;
  }
  const double mean = std::accumulate(cpu.begin(), cpu.end(), 0.0) / static_cast<double>(n);
  double variance = 0;
  for (const double value : cpu) {
    variance += (value - mean) * (value - mean);
  }
  Rhythm rhythm;
  if (mean <= 0 || variance <= mean * mean * 1e-12) {
    return rhythm;
  }
  rhythm.burstiness = std::sqrt(variance / static_cast<double>(n)) / mean;
  // The first peak of the autocorrelation after it fell below zero; two periods must fit.
  bool fell = false;
  for (std::size_t lag = 1; lag <= n / 2; ++lag) {
    double sum = 0;
    for (std::size_t i = lag; i < n; ++i) {
      sum += (cpu[i] - mean) * (cpu[i - lag] - mean);
    }
    const double correlation =
        sum / variance * static_cast<double>(n) / static_cast<double>(n - lag);
    fell = fell || correlation < 0;
    if (fell && correlation > rhythm.periodicity + kClearlyMore) {
      rhythm.periodicity = std::min(1.0, correlation);
      rhythm.period_intervals = static_cast<double>(lag);
    }
  }
  return rhythm;
}

}  // namespace powertrace
