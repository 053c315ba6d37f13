// SPDX-License-Identifier: Apache-2.0
// The data portal's own interface, which is not offered to the public: series from it say so.
// {"multiAreaEntries": [{"deliveryStart", "deliveryEnd", "entryPerArea": {"NL": n}}], "currency",
//  "areaStates": [{"state": "Final", "areas": ["NL"]}]}
#include <algorithm>

#include "market/json_fields.hpp"
#include "market/parsers.hpp"

namespace powertrace {
namespace {

constexpr const char* kNordPool = "nord-pool";

bool is_preliminary(const Json& json, const std::string& area) {
  const Json* states = find_field(json, "areaStates");
  if (states == nullptr || !states->is_array()) {
    return false;
  }
  return std::any_of(states->begin(), states->end(), [&area](const Json& state) {
    const Json* areas = find_field(state, "areas");
    return areas != nullptr && areas->is_array() &&
           std::find(areas->begin(), areas->end(), Json(area)) != areas->end() &&
           optional_string(state, "state") != "Final";
  });
}

}  // namespace

Result<Series> parse_nord_pool(std::string_view text, const ParseContext& context) {
  PT_ASSIGN(const Json json, parse_json(kNordPool, text));
  PT_ASSIGN(const Json* entries, array_field(kNordPool, json, "multiAreaEntries"));
  PT_ASSIGN(const std::string currency, string_field(kNordPool, json, "currency"));
  PT_ASSIGN(const Unit unit, parse_unit(currency + "/MWh"));
  std::vector<RawSlot> slots;
  for (const Json& entry : *entries) {
    PT_ASSIGN(const std::string start, string_field(kNordPool, entry, "deliveryStart"));
    PT_ASSIGN(const std::string end, string_field(kNordPool, entry, "deliveryEnd"));
    RawSlot slot;
    PT_ASSIGN(slot.start_s, parse_time(start));
    PT_ASSIGN(slot.end_s, parse_time(end));
    const Json* areas = find_field(entry, "entryPerArea");
    if (areas == nullptr) {
      return fail(ErrorCode::kMalformed, "{}: an entry has no \"entryPerArea\"", kNordPool);
    }
    PT_ASSIGN(slot.value, number_field(kNordPool, *areas, context.area.c_str()));
    if (slot.value) {
      *slot.value *= unit.factor;
    }
    slots.push_back(slot);
  }
  SeriesInfo info;
  info.currency = unit.currency;
  info.area = context.area;
  info.source = kNordPool;
  info.licence = "Nord Pool, unofficial interface";
  info.fetched_at_s = context.fetched_at_s;
  info.official = false;
  info.preliminary = is_preliminary(json, context.area);
  return make_series(std::move(info), slots);
}

}  // namespace powertrace
