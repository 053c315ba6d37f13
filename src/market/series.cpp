// SPDX-License-Identifier: Apache-2.0
#include "market/series.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "base/clock.hpp"
#include "base/units.hpp"

namespace powertrace {
namespace {

// Beyond these a figure is a mistake of unit. European markets are bounded at 5 EUR/kWh; the
// largest number for the same money among currencies that are traded is some 400 times that of the
// euro.
constexpr double kMaxEuroPerKwh = 15;
constexpr double kMaxOtherPerKwh = 15'000;
constexpr double kMaxGramsPerKwh = 5'000;
constexpr double kMaxVolumeMwh = 10'000'000;

std::string utc(std::int64_t time_s) {
  return format_utc(static_cast<std::uint64_t>(std::max<std::int64_t>(time_s, 0)) * 1'000'000'000U);
}

bool possible(const SeriesInfo& info, double value) {
  if (!std::isfinite(value)) {
    return false;
  }
  switch (info.quantity) {
    case Quantity::kPrice: {
      const bool like_euro = info.currency == "EUR" || info.currency == "GBP" ||
                             info.currency == "USD" || info.currency == "CHF";
      return std::abs(value) <= (like_euro ? kMaxEuroPerKwh : kMaxOtherPerKwh);
    }
    case Quantity::kCarbon:
      // One kWh more can save emissions elsewhere; a mix cannot be below nothing.
      return value <= kMaxGramsPerKwh &&
             value >= (info.basis == CarbonBasis::kMarginal ? -kMaxGramsPerKwh : 0);
    case Quantity::kVolume:
      return value >= 0 && value <= kMaxVolumeMwh;
  }
  return false;
}

Status check_slot(const SeriesInfo& info, const RawSlot& slot, const RawSlot* previous) {
  const std::int64_t length_s = slot.end_s - slot.start_s;
  if (slot.start_s < 0 || length_s < kMinuteS || length_s > kSecondsPerDay) {
    return fail(ErrorCode::kMalformed, "{}: the slot at {} has an impossible length of {} s",
                info.source, utc(slot.start_s), length_s);
  }
  if (previous != nullptr && slot.start_s != previous->end_s) {
    const char* what = slot.start_s < previous->start_s ? "is out of order after"
                       : slot.start_s < previous->end_s ? "overlaps the one at"
                                                        : "leaves a gap after";
    return fail(ErrorCode::kMalformed, "{}: the slot at {} {} {}", info.source, utc(slot.start_s),
                what, utc(previous->start_s));
  }
  if (slot.value && !possible(info, *slot.value)) {
    return fail(ErrorCode::kMalformed, "{}: {} {} at {} cannot be", info.source, *slot.value,
                unit_of(info), utc(slot.start_s));
  }
  return {};
}

bool same_kind(const SeriesInfo& a, const SeriesInfo& b) {
  return a.quantity == b.quantity && a.currency == b.currency && a.basis == b.basis &&
         a.scope == b.scope && a.area == b.area;
}

}  // namespace

const Slot* Series::at(std::int64_t utc_s) const {
  const auto after =
      std::upper_bound(slots.begin(), slots.end(), utc_s,
                       [](std::int64_t time_s, const Slot& slot) { return time_s < slot.start_s; });
  if (after == slots.begin() || std::prev(after)->end_s <= utc_s) {
    return nullptr;
  }
  return &*std::prev(after);
}

std::span<const Slot> Series::within(std::int64_t from_s, std::int64_t to_s) const {
  if (from_s >= to_s) {
    return {};
  }
  const auto first = std::partition_point(
      slots.begin(), slots.end(), [from_s](const Slot& slot) { return slot.end_s <= from_s; });
  const auto last = std::partition_point(first, slots.end(),
                                         [to_s](const Slot& slot) { return slot.start_s < to_s; });
  return {first, last};
}

std::optional<double> Series::mean(std::int64_t from_s, std::int64_t to_s) const {
  double sum = 0;
  std::int64_t time_s = 0;
  for (const Slot& slot : within(from_s, to_s)) {
    const std::int64_t part_s = std::min(slot.end_s, to_s) - std::max(slot.start_s, from_s);
    sum += slot.value * static_cast<double>(part_s);
    time_s += part_s;
  }
  if (time_s == 0) {
    return std::nullopt;
  }
  return sum / static_cast<double>(time_s);
}

std::string unit_of(const SeriesInfo& info) {
  switch (info.quantity) {
    case Quantity::kPrice:
      return info.currency + "/kWh";
    case Quantity::kCarbon:
      return "gCO2/kWh";
    case Quantity::kVolume:
      return "MWh";
  }
  return "";
}

std::string_view quantity_name(Quantity quantity) {
  switch (quantity) {
    case Quantity::kPrice:
      return "price";
    case Quantity::kCarbon:
      return "carbon";
    case Quantity::kVolume:
      return "volume";
  }
  return "";
}

Result<Unit> parse_unit(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("\u20AC")) {
      plain += "eur";
      i += 2;
    } else if (text.substr(i).starts_with("\u00A3")) {
      plain += "gbp";
      i += 1;
    } else if (std::isspace(static_cast<unsigned char>(text[i])) == 0) {
      plain += static_cast<char>(std::tolower(static_cast<unsigned char>(text[i])));
    }
  }
  if (plain == "mwh") {
    return Unit{Quantity::kVolume, "", 1};
  }
  constexpr std::array kGramUnits{"gco2/kwh", "gco2eq/kwh", "g/kwh"};
  if (std::find(kGramUnits.begin(), kGramUnits.end(), plain) != kGramUnits.end()) {
    return Unit{Quantity::kCarbon, "", 1};
  }
  if (plain == "lbs_co2_per_mwh") {
    return Unit{Quantity::kCarbon, "", 453.59237 / 1000};
  }
  if (plain == "ct/kwh") {
    return Unit{Quantity::kPrice, "EUR", 0.01};
  }
  const std::size_t slash = plain.find('/');
  const std::string per = slash == std::string::npos ? "" : plain.substr(slash);
  const bool is_currency =
      slash == 3 && std::all_of(plain.begin(), plain.begin() + 3,
                                [](unsigned char c) { return std::isalpha(c) != 0; });
  if (is_currency && (per == "/mwh" || per == "/kwh")) {
    std::string currency = plain.substr(0, 3);
    std::transform(currency.begin(), currency.end(), currency.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return Unit{Quantity::kPrice, currency, per == "/mwh" ? 0.001 : 1};
  }
  return fail(ErrorCode::kMalformed,
              "\"{}\" is not a unit that is known here; known are EUR/MWh, EUR/kWh (or another "
              "currency), ct/kWh, gCO2/kWh, lbs_co2_per_mwh and MWh",
              text.substr(0, 40));
}

Result<Series> make_series(SeriesInfo info, std::span<const RawSlot> slots) {
  Series series;
  series.info = std::move(info);
  const RawSlot* previous = nullptr;
  for (const RawSlot& slot : slots) {
    PT_TRY(check_slot(series.info, slot, previous));
    previous = &slot;
    if (slot.value) {
      series.slots.push_back({slot.start_s, slot.end_s, *slot.value});
    }
  }
  if (series.slots.empty()) {
    return fail(ErrorCode::kNotFound, "{}: no {} for {} in the answer", series.info.source,
                quantity_name(series.info.quantity), series.info.area);
  }
  return series;
}

Result<Series> merge(const Series& older, const Series& newer) {
  if (!same_kind(older.info, newer.info)) {
    return fail(ErrorCode::kUsage,
                "{} of {} ({}) cannot be joined with {} of {} ({}): they are of different kinds",
                quantity_name(older.info.quantity), older.info.area, unit_of(older.info),
                quantity_name(newer.info.quantity), newer.info.area, unit_of(newer.info));
  }
  if (newer.slots.empty()) {
    return older;
  }
  Series merged;
  merged.info = newer.info;
  const auto overlaps = [&newer](const Slot& slot) {
    return !newer.within(slot.start_s, slot.end_s).empty();
  };
  std::copy_if(older.slots.begin(), older.slots.end(), std::back_inserter(merged.slots),
               [&overlaps](const Slot& slot) { return !overlaps(slot); });
  merged.slots.insert(merged.slots.end(), newer.slots.begin(), newer.slots.end());
  std::sort(merged.slots.begin(), merged.slots.end(),
            [](const Slot& a, const Slot& b) { return a.start_s < b.start_s; });
  return merged;
}

}  // namespace powertrace
