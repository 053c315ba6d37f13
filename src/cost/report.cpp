// SPDX-License-Identifier: Apache-2.0
#include "cost/report.hpp"

#include <algorithm>

#include "base/units.hpp"

namespace powertrace {
namespace {

// Calls visit(bucket, start, end, amount) for each part of an amount spread evenly over
// [start, end), in whole units, nothing lost inside the ranges.
template <typename Visit>
void spread(std::span<const TimeRange> ranges,
            UtcMs start,
            UtcMs end,
            std::int64_t amount,
            const Visit& visit) {
  const auto first =
      std::upper_bound(ranges.begin(), ranges.end(), start,
                       [](UtcMs t, const TimeRange& range) { return t < range.end; });
  std::int64_t before = 0;
  for (auto range = first; range != ranges.end() && start < end && range->start < end; ++range) {
    const UtcMs to = std::min(end, range->end);
    const std::int64_t until = share(amount, to - start, end - start);
    visit(static_cast<std::size_t>(range - ranges.begin()), std::max(start, range->start), to,
          until - before);
    before = until;
  }
}

}  // namespace

double CostBucket::coverage() const {
  const auto length = static_cast<double>(range.end - range.start);
  return length > 0 ? std::min(1.0, static_cast<double>(covered_ms) / length) : 0;
}

std::vector<TimeRange> divide_range(TimeRange range, Calendar calendar, const TimeZone& zone) {
  std::vector<TimeRange> ranges;
  for (UtcMs at = range.start; at < range.end;) {
    const UtcMs next = calendar == Calendar::kHour  ? zone.next_hour(at)
                       : calendar == Calendar::kDay ? zone.next_day(at)
                                                    : range.end;
    ranges.push_back({at, std::min(next, range.end)});
    at = next;
  }
  return ranges;
}

std::vector<CostBucket> cost_by_time(const CostModel& model,
                                     std::span<const TimeRange> ranges,
                                     std::span<const EnergyPiece> pieces,
                                     std::span<const CoveredPiece> covered) {
  std::vector<CostBucket> buckets(ranges.size());
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    buckets[i].range = ranges[i];
  }
  for (const EnergyPiece& piece : pieces) {
    spread(ranges, piece.start, piece.end, piece.energy_nj,
           [&](std::size_t i, UtcMs start, UtcMs end, std::int64_t nj) {
             buckets[i].cost += cost_of(model, start, end, nj);
           });
  }
  for (const CoveredPiece& piece : covered) {
    spread(ranges, piece.start, piece.end, piece.covered_ms,
           [&](std::size_t i, UtcMs, UtcMs, std::int64_t ms) { buckets[i].covered_ms += ms; });
  }
  for (CostBucket& bucket : buckets) {
    bucket.cost.embodied_g = embodied_g(model, static_cast<double>(bucket.covered_ms) / 3.6e6);
  }
  return buckets;
}

std::vector<Cost> cost_by_group(const CostModel& model,
                                std::size_t groups,
                                std::span<const EnergyPiece> pieces,
                                double covered_hours) {
  std::vector<Cost> costs(groups);
  std::int64_t total_nj = 0;
  for (const EnergyPiece& piece : pieces) {
    costs[piece.group] += cost_of(model, piece.start, piece.end, piece.energy_nj);
    total_nj += piece.energy_nj;
  }
  for (Cost& cost : costs) {
    if (total_nj > 0) {
      cost.embodied_g = embodied_g(model, covered_hours) * static_cast<double>(cost.energy_nj) /
                        static_cast<double>(total_nj);
    }
  }
  return costs;
}

Cost sum_of(std::span<const Cost> costs) {
  Cost sum;
  for (const Cost& cost : costs) {
    sum += cost;
  }
  return sum;
}

UtcMs query_resolution(const CostModel& model,
                       TimeRange range,
                       Calendar calendar,
                       const TimeZone& zone) {
  UtcMs resolution = model.resolution_ms();
  const auto meets = [&](UtcMs step) {
    return calendar == Calendar::kWhole ||
           (zone.offset_ms(range.start) % step == 0 && zone.offset_ms(range.end) % step == 0);
  };
  for (const UtcMs step : {30 * kMinuteMs, 15 * kMinuteMs, 5 * kMinuteMs, kMinuteMs}) {
    if (!meets(resolution)) {
      resolution = std::min(resolution, step);
    }
  }
  return resolution;
}

}  // namespace powertrace
