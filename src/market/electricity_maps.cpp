// SPDX-License-Identifier: Apache-2.0
// One entry (latest) or a list (history, forecast) of {"datetime", "carbonIntensity": n|null,
// "emissionFactorType": "lifecycle"|"direct", "isEstimated", "temporalGranularity"}.
#include <algorithm>

#include "market/json_fields.hpp"
#include "market/parsers.hpp"

namespace powertrace {
namespace {

constexpr const char* kElectricityMaps = "electricity-maps";

Result<std::int64_t> length_of(const Json& json) {
  const std::string text = optional_string(json, "temporalGranularity");
  if (text.empty() || text == "hourly") {
    return 3600;
  }
  if (text == "15_minutes") {
    return 900;
  }
  if (text == "5_minutes") {
    return 300;
  }
  return fail(ErrorCode::kMalformed, "{}: the granularity \"{}\" is unknown", kElectricityMaps,
              text.substr(0, 40));
}

}  // namespace

Result<Series> parse_electricity_maps(std::string_view text, const ParseContext& context) {
  PT_ASSIGN(const Json json, parse_json(kElectricityMaps, text));
  if (find_field(json, "error") != nullptr) {
    return fail(ErrorCode::kNotFound, "{}: {}", kElectricityMaps,
                optional_string(json, "error").substr(0, 200));
  }
  const Json* list = find_field(json, "history");
  list = list != nullptr ? list : find_field(json, "forecast");
  list = list != nullptr ? list : find_field(json, "data");
  const Json single = Json::array({json});
  if (list == nullptr) {
    list = &single;
  }
  if (!list->is_array()) {
    return fail(ErrorCode::kMalformed, "{}: the answer has no list of intensities",
                kElectricityMaps);
  }
  PT_ASSIGN(const std::int64_t common_length_s, length_of(json));
  SeriesInfo info;
  info.quantity = Quantity::kCarbon;
  info.scope = CarbonScope::kLifecycle;
  std::vector<RawSlot> slots;
  for (const Json& entry : *list) {
    PT_ASSIGN(const std::string time, string_field(kElectricityMaps, entry, "datetime"));
    RawSlot slot;
    PT_ASSIGN(slot.start_s, parse_time(time));
    PT_ASSIGN(slot.value, number_field(kElectricityMaps, entry, "carbonIntensity"));
    std::int64_t length_s = common_length_s;
    if (find_field(entry, "temporalGranularity") != nullptr) {
      PT_ASSIGN(length_s, length_of(entry));
    }
    slot.end_s = slot.start_s + length_s;
    const bool direct = optional_string(entry, "emissionFactorType") == "direct";
    if (!slots.empty() && direct != (info.scope == CarbonScope::kDirect)) {
      return fail(ErrorCode::kMalformed, "{}: lifecycle and direct intensities are mixed",
                  kElectricityMaps);
    }
    info.scope = direct ? CarbonScope::kDirect : CarbonScope::kLifecycle;
    const Json* estimated = find_field(entry, "isEstimated");
    info.preliminary = info.preliminary || (estimated != nullptr && *estimated == Json(true));
    slots.push_back(slot);
  }
  info.area = context.area;
  info.source = kElectricityMaps;
  info.licence = "Electricity Maps";
  info.fetched_at_s = context.fetched_at_s;
  return make_series(std::move(info), slots);
}

}  // namespace powertrace
