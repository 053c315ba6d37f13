// SPDX-License-Identifier: Apache-2.0
// {"data": [{"point_time", "value"}], "meta": {"units": "lbs_co2_per_mwh", "signal_type":
// "co2_moer",
//  "data_point_period_seconds": 300, "region"}}: marginal, never to be mixed with averages.
#include "base/units.hpp"
#include "market/json_fields.hpp"
#include "market/parsers.hpp"

namespace powertrace {

Result<Series> parse_watttime(std::string_view text, const ParseContext& context) {
  constexpr const char* kSource = "watttime";
  PT_ASSIGN(const Json json, parse_json(kSource, text));
  if (find_field(json, "error") != nullptr) {
    return fail(ErrorCode::kNotFound, "{}: {}", kSource,
                optional_string(json, "error").substr(0, 200));
  }
  PT_ASSIGN(const Json* data, array_field(kSource, json, "data"));
  const Json* meta = find_field(json, "meta");
  if (meta == nullptr) {
    return fail(ErrorCode::kMalformed, "{}: the answer has no \"meta\"", kSource);
  }
  PT_ASSIGN(const std::string unit_text, string_field(kSource, *meta, "units"));
  PT_ASSIGN(const Unit unit, parse_unit(unit_text));
  PT_ASSIGN(const std::string signal, string_field(kSource, *meta, "signal_type"));
  PT_ASSIGN(const std::int64_t length_s,
            integer_field(kSource, *meta, "data_point_period_seconds"));
  if (unit.quantity != Quantity::kCarbon || (signal != "co2_moer" && signal != "co2_aoer")) {
    return fail(ErrorCode::kMalformed, "{}: the signal \"{}\" in \"{}\" is not carbon", kSource,
                signal.substr(0, 40), unit_text.substr(0, 40));
  }
  std::vector<RawSlot> slots;
  for (const Json& entry : *data) {
    PT_ASSIGN(const std::string time, string_field(kSource, entry, "point_time"));
    RawSlot slot;
    PT_ASSIGN(slot.start_s, parse_time(time));
    PT_ASSIGN(slot.value, number_field(kSource, entry, "value"));
    // Out of any sane bound, so that the sum below cannot overflow; make_series() refuses it.
    slot.end_s = length_s > 0 && length_s <= kSecondsPerDay ? slot.start_s + length_s : 0;
    if (slot.value) {
      *slot.value *= unit.factor;
    }
    slots.push_back(slot);
  }
  SeriesInfo info;
  info.quantity = Quantity::kCarbon;
  info.basis = signal == "co2_moer" ? CarbonBasis::kMarginal : CarbonBasis::kAverage;
  info.area = context.area;
  info.source = kSource;
  info.licence = "WattTime";
  info.fetched_at_s = context.fetched_at_s;
  return make_series(std::move(info), slots);
}

}  // namespace powertrace
