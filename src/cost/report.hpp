// SPDX-License-Identifier: Apache-2.0
//
// Pieces of energy -> cost by group and by local hour or day. Every piece lands in exactly one row
// and its parts in the buckets it crosses, so rows and buckets add up to the same total. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/wall_time.hpp"
#include "cost/model.hpp"

namespace powertrace {

struct TimeRange {
  UtcMs start = 0;
  UtcMs end = 0;
  [[nodiscard]] double seconds() const { return static_cast<double>(end - start) / 1e3; }
};

struct EnergyPiece {
  std::uint32_t group = 0;
  UtcMs start = 0;
  UtcMs end = 0;
  std::int64_t energy_nj = 0;
};

// Time in [start, end) in which somebody measured.
struct CoveredPiece {
  UtcMs start = 0;
  UtcMs end = 0;
  std::int64_t covered_ms = 0;
};

enum class Calendar : std::uint8_t { kWhole, kHour, kDay };

struct CostBucket {
  TimeRange range;
  Cost cost;
  std::int64_t covered_ms = 0;
  [[nodiscard]] double coverage() const;  // 0 to 1
};

// Buckets from range.start to range.end at local hours or days; the first and last may be cut.
std::vector<TimeRange> divide_range(TimeRange range, Calendar calendar, const TimeZone& zone);

// One bucket per range of divide_range(). `pieces` and `covered` lie within the range.
std::vector<CostBucket> cost_by_time(const CostModel& model,
                                     std::span<const TimeRange> ranges,
                                     std::span<const EnergyPiece> pieces,
                                     std::span<const CoveredPiece> covered);

// Indexed by group. The embodied share of `covered_hours` of the machine is divided by energy.
std::vector<Cost> cost_by_group(const CostModel& model,
                                std::size_t groups,
                                std::span<const EnergyPiece> pieces,
                                double covered_hours);

Cost sum_of(std::span<const Cost> costs);

// The coarsest of 1 h, 30, 15, 5, 1 min that meets both the curves' slots and the zone's hours.
UtcMs query_resolution(const CostModel& model,
                       TimeRange range,
                       Calendar calendar,
                       const TimeZone& zone);

}  // namespace powertrace
