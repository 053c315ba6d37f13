// SPDX-License-Identifier: Apache-2.0
#include "capping/effect.hpp"

#include <algorithm>

namespace powertrace {
namespace {

// When one side holds so much time, its past counts half.
constexpr double kFadeAfterS = 7200;
// Workloads beyond it are the node's dust; the least are forgotten.
constexpr std::size_t kMaxWorkloads = 1024;

}  // namespace

std::optional<double> EffectRow::slower() const {
  if (free.ghz <= 0 || capped.ghz <= 0) {
    return std::nullopt;
  }
  return 1 - capped.ghz / free.ghz;
}

void EffectLedger::add(std::span<const WorkloadSample> samples, double seconds, bool capped) {
  (capped ? capped_s_ : free_s_) += seconds;
  for (const WorkloadSample& sample : samples) {
    Sums& sums = sums_[sample.name];
    Sum& sum = capped ? sums.capped : sums.free;
    sum.time_s += seconds;
    sum.joules += sample.joules;
    sum.cpu_s += sample.cpu_s;
    if (sample.cycles > 0) {
      sum.cycles += sample.cycles;
      sum.counted_cpu_s += sample.cpu_s;
    }
    if (sample.stalled_s) {
      sum.stalled_s += *sample.stalled_s;
      sum.stall_time_s += seconds;
    }
  }
  if ((capped ? capped_s_ : free_s_) > kFadeAfterS) {
    fade(capped);
  }
  while (sums_.size() > kMaxWorkloads) {
    sums_.erase(std::min_element(sums_.begin(), sums_.end(), [](const auto& a, const auto& b) {
      return a.second.free.joules + a.second.capped.joules <
             b.second.free.joules + b.second.capped.joules;
    }));
  }
}

void EffectLedger::fade(bool capped) {
  (capped ? capped_s_ : free_s_) /= 2;
  for (auto& [name, sums] : sums_) {
    Sum& sum = capped ? sums.capped : sums.free;
    for (double* part : {&sum.time_s, &sum.joules, &sum.cpu_s, &sum.cycles, &sum.counted_cpu_s,
                         &sum.stalled_s, &sum.stall_time_s}) {
      *part /= 2;
    }
  }
}

EffectSide EffectLedger::side(const Sum& sum, double time_s) {
  EffectSide side;
  side.time_s = sum.time_s;
  if (time_s > 0) {
    side.watts = sum.joules / time_s;
    side.cpus = sum.cpu_s / time_s;
  }
  if (sum.counted_cpu_s > 0) {
    side.ghz = sum.cycles / sum.counted_cpu_s / 1e9;
  }
  if (sum.stall_time_s > 0) {
    side.stalled = sum.stalled_s / sum.stall_time_s;
  }
  return side;
}

std::vector<EffectRow> EffectLedger::rows(std::size_t limit) const {
  std::vector<EffectRow> rows;
  for (const auto& [name, sums] : sums_) {
    // Over all the time of a side: a workload that was not there drew nothing.
    rows.push_back({name, side(sums.free, free_s_), side(sums.capped, capped_s_)});
  }
  std::stable_sort(rows.begin(), rows.end(), [](const EffectRow& a, const EffectRow& b) {
    return std::max(a.free.watts, a.capped.watts) > std::max(b.free.watts, b.capped.watts);
  });
  rows.resize(std::min(rows.size(), limit));
  return rows;
}

}  // namespace powertrace
