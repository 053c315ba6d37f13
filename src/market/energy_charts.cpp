// SPDX-License-Identifier: Apache-2.0
// {"license_info", "unix_seconds": [...], "price": [...], "unit": "EUR / MWh"}: slots begin at the
// seconds given; their lengths are only in the distances.
#include <algorithm>

#include "base/units.hpp"
#include "market/json_fields.hpp"
#include "market/parsers.hpp"

namespace powertrace {
namespace {

constexpr const char* kEnergyCharts = "energy-charts";

// The resolution may change within the answer (it did in October 2025), but a distance that occurs
// for less than an hour is a hole.
Status check_lengths(const std::vector<RawSlot>& slots) {
  for (std::size_t first = 0; first < slots.size();) {
    const std::int64_t length_s = slots[first].end_s - slots[first].start_s;
    std::size_t last = first;
    while (last < slots.size() && slots[last].end_s - slots[last].start_s == length_s) {
      ++last;
    }
    const bool known = length_s == 300 || length_s == 900 || length_s == 1800 || length_s == kHourS;
    const bool whole = first == 0 && last == slots.size();
    const auto run = static_cast<std::int64_t>(last - first);
    if (!known || (!whole && (run * length_s < kHourS || run < 2))) {
      return fail(ErrorCode::kMalformed, "{}: there is a hole or an odd slot of {} s at {}",
                  kEnergyCharts, length_s, format_time(slots[first].start_s));
    }
    first = last;
  }
  return {};
}

}  // namespace

Result<Series> parse_energy_charts(std::string_view text, const ParseContext& context) {
  PT_ASSIGN(const Json json, parse_json(kEnergyCharts, text));
  PT_ASSIGN(const Json* times, array_field(kEnergyCharts, json, "unix_seconds"));
  PT_ASSIGN(const Json* prices, array_field(kEnergyCharts, json, "price"));
  PT_ASSIGN(const std::string unit_text, string_field(kEnergyCharts, json, "unit"));
  PT_ASSIGN(const Unit unit, parse_unit(unit_text));
  if (unit.quantity != Quantity::kPrice) {
    return fail(ErrorCode::kMalformed, "{}: \"{}\" is no unit of a price", kEnergyCharts,
                unit_text);
  }
  if (times->size() != prices->size()) {
    return fail(ErrorCode::kMalformed, "{}: {} times but {} prices", kEnergyCharts, times->size(),
                prices->size());
  }
  if (times->size() < 2) {
    return fail(ErrorCode::kNotFound, "{}: no prices for {} in the answer", kEnergyCharts,
                context.area);
  }
  std::vector<RawSlot> slots;
  for (std::size_t i = 0; i < times->size(); ++i) {
    const Json& time = (*times)[i];
    const Json& price = (*prices)[i];
    if (!time.is_number_integer() || !(price.is_number() || price.is_null())) {
      return fail(ErrorCode::kMalformed, "{}: entry {} is not a time with a price", kEnergyCharts,
                  i);
    }
    RawSlot slot;
    slot.start_s = time.get<std::int64_t>();
    if (!price.is_null()) {
      slot.value = price.get<double>() * unit.factor;
    }
    if (!slots.empty()) {
      slots.back().end_s = slot.start_s;
    }
    slots.push_back(slot);
  }
  const RawSlot& before_last = slots[slots.size() - 2];
  slots.back().end_s = slots.back().start_s + (before_last.end_s - before_last.start_s);
  PT_TRY(check_lengths(slots));

  SeriesInfo info;
  info.currency = unit.currency;
  info.area = context.area;
  info.source = kEnergyCharts;
  info.licence = optional_string(json, "license_info");
  info.fetched_at_s = context.fetched_at_s;
  return make_series(std::move(info), slots);
}

}  // namespace powertrace
