// SPDX-License-Identifier: Apache-2.0
// {"dataset", "records": [...]}, newest first, times in UTC without saying so.
// DayAheadPrices: TimeUTC, PriceArea, DayAheadPriceEUR. CO2EmisProg: Minutes5UTC, CO2Emission.
#include <algorithm>

#include "market/json_fields.hpp"
#include "market/parsers.hpp"

namespace powertrace {
namespace {

constexpr const char* kEnergiDataService = "energidataservice";

struct Dataset {
  const char* name;
  Quantity quantity;
  const char* time;
  const char* value;
  double factor;
  std::int64_t length_s;
};
constexpr Dataset kDatasets[] = {
    {"DayAheadPrices", Quantity::kPrice, "TimeUTC", "DayAheadPriceEUR", 0.001, 900},
    {"Elspotprices", Quantity::kPrice, "HourUTC", "SpotPriceEUR", 0.001, 3600},
    {"CO2EmisProg", Quantity::kCarbon, "Minutes5UTC", "CO2Emission", 1, 300},
    {"CO2Emis", Quantity::kCarbon, "Minutes5UTC", "CO2Emission", 1, 300},
};

}  // namespace

Result<Series> parse_energidataservice(std::string_view text, const ParseContext& context) {
  PT_ASSIGN(const Json json, parse_json(kEnergiDataService, text));
  PT_ASSIGN(const std::string name, string_field(kEnergiDataService, json, "dataset"));
  PT_ASSIGN(const Json* records, array_field(kEnergiDataService, json, "records"));
  const auto* const dataset =
      std::find_if(std::begin(kDatasets), std::end(kDatasets),
                   [&name](const Dataset& known) { return name == known.name; });
  if (dataset == std::end(kDatasets)) {
    return fail(ErrorCode::kMalformed, "{}: the dataset \"{}\" is not one of prices or emissions",
                kEnergiDataService, name.substr(0, 40));
  }
  std::vector<RawSlot> slots;
  for (const Json& record : *records) {
    PT_ASSIGN(const std::string area, string_field(kEnergiDataService, record, "PriceArea"));
    if (area != context.area) {
      continue;
    }
    PT_ASSIGN(const std::string time, string_field(kEnergiDataService, record, dataset->time));
    RawSlot slot;
    PT_ASSIGN(slot.start_s, parse_time(time, true));
    PT_ASSIGN(slot.value, number_field(kEnergiDataService, record, dataset->value));
    slot.end_s = slot.start_s + dataset->length_s;
    if (slot.value) {
      *slot.value *= dataset->factor;
    }
    slots.push_back(slot);
  }
  std::sort(slots.begin(), slots.end(),
            [](const RawSlot& a, const RawSlot& b) { return a.start_s < b.start_s; });
  SeriesInfo info;
  info.quantity = dataset->quantity;
  info.currency = dataset->quantity == Quantity::kPrice ? "EUR" : "";
  info.area = context.area;
  info.source = kEnergiDataService;
  info.licence = "Energinet, energidataservice.dk";
  info.fetched_at_s = context.fetched_at_s;
  return make_series(std::move(info), slots);
}

}  // namespace powertrace
