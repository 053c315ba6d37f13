// SPDX-License-Identifier: Apache-2.0
// carbonintensity.org.uk: {"data": [{"from", "to", "intensity": {"forecast": n, "actual":
// n|null}}]} and for a region {"data": {"regionid", "data": [...]}} or {"data": [{"regionid",
// "data": [...]}]}.
#include "market/json_fields.hpp"
#include "market/parsers.hpp"

namespace powertrace {
namespace {

constexpr const char* kUkCarbon = "uk-carbon";

Result<const Json*> entries_of(const Json& json) {
  const Json* data = find_field(json, "data");
  if (data != nullptr && data->is_array() && data->size() == 1 &&
      find_field(data->front(), "data") != nullptr) {
    data = &data->front();
  }
  if (data != nullptr && data->is_object()) {
    data = find_field(*data, "data");
  }
  if (data == nullptr || !data->is_array()) {
    return fail(ErrorCode::kMalformed, "{}: the answer has no list \"data\"", kUkCarbon);
  }
  return data;
}

}  // namespace

Result<Series> parse_uk_carbon(std::string_view text, const ParseContext& context) {
  PT_ASSIGN(const Json json, parse_json(kUkCarbon, text));
  if (const Json* error = find_field(json, "error")) {
    return fail(ErrorCode::kNotFound, "{}: {}", kUkCarbon,
                optional_string(*error, "message").substr(0, 200));
  }
  PT_ASSIGN(const Json* entries, entries_of(json));
  std::vector<RawSlot> slots;
  for (const Json& entry : *entries) {
    PT_ASSIGN(const std::string from, string_field(kUkCarbon, entry, "from"));
    PT_ASSIGN(const std::string to, string_field(kUkCarbon, entry, "to"));
    RawSlot slot;
    PT_ASSIGN(slot.start_s, parse_time(from));
    PT_ASSIGN(slot.end_s, parse_time(to));
    const Json* intensity = find_field(entry, "intensity");
    if (intensity == nullptr) {
      return fail(ErrorCode::kMalformed, "{}: the entry of {} has no \"intensity\"", kUkCarbon,
                  from);
    }
    // Regions have a forecast only; an open half-hour has an actual of null.
    if (find_field(*intensity, "actual") != nullptr) {
      PT_ASSIGN(slot.value, number_field(kUkCarbon, *intensity, "actual"));
    }
    if (!slot.value) {
      PT_ASSIGN(slot.value, number_field(kUkCarbon, *intensity, "forecast"));
    }
    slots.push_back(slot);
  }
  SeriesInfo info;
  info.quantity = Quantity::kCarbon;
  info.area = context.area;
  info.source = kUkCarbon;
  info.licence = "CC BY 4.0, carbonintensity.org.uk";
  info.fetched_at_s = context.fetched_at_s;
  return make_series(std::move(info), slots);
}

}  // namespace powertrace
