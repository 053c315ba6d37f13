// SPDX-License-Identifier: Apache-2.0
//
// The normal form of everything a market says: half-open slots in UTC, sorted and disjoint, in one
// unit, with where and when they come from. Pure data; any thread may read a const Series.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace powertrace {

enum class Quantity : std::uint8_t { kPrice, kCarbon, kVolume };

// What a carbon figure answers: the mix of all plants, or the plant that one kWh more would call
// on.
enum class CarbonBasis : std::uint8_t { kAverage, kMarginal };
// Direct: combustion only. Lifecycle: with building and fuel supply.
enum class CarbonScope : std::uint8_t { kDirect, kLifecycle };

// [start_s, end_s) in seconds since the epoch, UTC.
struct Slot {
  std::int64_t start_s = 0;
  std::int64_t end_s = 0;
  double value = 0;

  [[nodiscard]] std::int64_t length_s() const { return end_s - start_s; }
  bool operator==(const Slot&) const = default;
};

struct SeriesInfo {
  Quantity quantity = Quantity::kPrice;
  std::string currency;  // of a price: ISO 4217
  CarbonBasis basis = CarbonBasis::kAverage;
  CarbonScope scope = CarbonScope::kDirect;
  std::string area;    // as the source writes it: "DE-LU"
  std::string source;  // "energy-charts"
  std::string licence;
  std::int64_t fetched_at_s = 0;  // when the source said so; UTC
  bool official = true;           // false: an interface its owner does not offer to the public
  bool preliminary = false;       // the source may still change it

  bool operator==(const SeriesInfo&) const = default;
};

struct Series {
  SeriesInfo info;
  std::vector<Slot> slots;

  // The slot that holds this instant; nullptr: there is no data for it.
  [[nodiscard]] const Slot* at(std::int64_t utc_s) const;
  // The slots that overlap [from_s, to_s).
  [[nodiscard]] std::span<const Slot> within(std::int64_t from_s, std::int64_t to_s) const;
  // Weighted by time, over what is known of [from_s, to_s); nullopt: nothing is.
  [[nodiscard]] std::optional<double> mean(std::int64_t from_s, std::int64_t to_s) const;
  [[nodiscard]] bool empty() const { return slots.empty(); }
};

// "EUR/kWh", "gCO2/kWh", "MWh": the unit of all values of a series.
std::string unit_of(const SeriesInfo& info);
std::string_view quantity_name(Quantity quantity);

// A unit as sources write it, and the factor to ours.
struct Unit {
  Quantity quantity = Quantity::kPrice;
  std::string currency;
  double factor = 1;
};
// "EUR / MWh", "Eur/MWh", "ct/kWh" (of a euro), "lbs_co2_per_mwh", "gCO2eq/kWh", "MWh".
Result<Unit> parse_unit(std::string_view text);

// A slot as a parser found it, in our unit; no value: the source says that it has none.
struct RawSlot {
  std::int64_t start_s = 0;
  std::int64_t end_s = 0;
  std::optional<double> value;
};

// The one way to a Series. kMalformed for slots that are unsorted, overlap, leave a gap (a slot
// without a value is no gap), have an odd length or a value that cannot be. kNotFound if no slot
// has a value.
Result<Series> make_series(SeriesInfo info, std::span<const RawSlot> slots);

// `newer` where it has data, `older` elsewhere. Both must be of one kind (quantity, unit, basis,
// area); the description is that of `newer`.
Result<Series> merge(const Series& older, const Series& newer);

}  // namespace powertrace
