// SPDX-License-Identifier: Apache-2.0
// {"data": [{"start_timestamp": ms, "end_timestamp": ms, "marketprice": n, "unit": "Eur/MWh"}]}
#include "market/json_fields.hpp"
#include "market/parsers.hpp"

namespace powertrace {

Result<Series> parse_awattar(std::string_view text, const ParseContext& context) {
  constexpr const char* kSource = "awattar";
  constexpr std::int64_t kMsPerS = 1000;
  PT_ASSIGN(const Json json, parse_json(kSource, text));
  PT_ASSIGN(const Json* data, array_field(kSource, json, "data"));
  SeriesInfo info;
  std::vector<RawSlot> slots;
  for (const Json& entry : *data) {
    PT_ASSIGN(const std::int64_t start_ms, integer_field(kSource, entry, "start_timestamp"));
    PT_ASSIGN(const std::int64_t end_ms, integer_field(kSource, entry, "end_timestamp"));
    PT_ASSIGN(const std::optional<double> price, number_field(kSource, entry, "marketprice"));
    PT_ASSIGN(const std::string unit_text, string_field(kSource, entry, "unit"));
    PT_ASSIGN(const Unit unit, parse_unit(unit_text));
    if (unit.quantity != Quantity::kPrice || (!slots.empty() && unit.currency != info.currency)) {
      return fail(ErrorCode::kMalformed,
                  "{}: the unit \"{}\" is no price or not that of the others", kSource, unit_text);
    }
    if (start_ms % kMsPerS != 0 || end_ms % kMsPerS != 0) {
      return fail(ErrorCode::kMalformed, "{}: times are not in whole seconds", kSource);
    }
    info.currency = unit.currency;
    slots.push_back({start_ms / kMsPerS, end_ms / kMsPerS, price});
    if (price) {
      slots.back().value = *price * unit.factor;
    }
  }
  info.area = context.area;
  info.source = kSource;
  info.licence = "aWATTar, fair use";
  info.fetched_at_s = context.fetched_at_s;
  return make_series(std::move(info), slots);
}

}  // namespace powertrace
