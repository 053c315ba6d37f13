// SPDX-License-Identifier: Apache-2.0
// Our own exchange format: start,end,price,unit (or carbon or volume instead of price), ISO times
// with an offset.
#include "market/csv.hpp"
#include "market/parsers.hpp"

namespace powertrace {

Result<std::vector<Series>> parse_time_csv(std::string_view text, const ParseContext& context) {
  constexpr const char* kSource = "time-csv";
  PT_ASSIGN(const Csv csv, parse_csv(kSource, text));
  const auto start = csv.column("start");
  const auto end = csv.column("end");
  const auto unit_column = csv.column("unit");
  std::optional<std::size_t> value_column;
  for (const char* name : {"price", "carbon", "volume"}) {
    if (const auto found = csv.column(name)) {
      if (value_column) {
        return fail(ErrorCode::kMalformed, "{}: more than one of price, carbon and volume",
                    kSource);
      }
      value_column = found;
    }
  }
  if (!start || !end || !unit_column || !value_column) {
    return fail(ErrorCode::kMalformed,
                "{}: the header must have start, end, unit and one of price, carbon, volume",
                kSource);
  }
  SeriesInfo info;
  std::string unit_text;
  double factor = 1;
  std::vector<RawSlot> slots;
  for (const auto& row : csv.rows) {
    if (slots.empty()) {
      unit_text = row[*unit_column];
      PT_ASSIGN(const Unit unit, parse_unit(unit_text));
      info.quantity = unit.quantity;
      info.currency = unit.currency;
      factor = unit.factor;
    } else if (row[*unit_column] != unit_text) {
      return fail(ErrorCode::kMalformed, "{}: the units \"{}\" and \"{}\" are mixed", kSource,
                  unit_text, row[*unit_column].substr(0, 40));
    }
    RawSlot slot;
    PT_ASSIGN(slot.start_s, parse_time(row[*start]));
    PT_ASSIGN(slot.end_s, parse_time(row[*end]));
    PT_ASSIGN(slot.value, parse_cell(kSource, row[*value_column]));
    if (slot.value) {
      *slot.value *= factor;
    }
    slots.push_back(slot);
  }
  if (csv.column(quantity_name(info.quantity)) != value_column) {
    return fail(ErrorCode::kMalformed, "{}: the column \"{}\" has the unit \"{}\"", kSource,
                csv.header[*value_column], unit_text);
  }
  info.area = context.area;
  info.source = kSource;
  info.licence = "from a file";
  info.fetched_at_s = context.fetched_at_s;
  PT_ASSIGN(Series series, make_series(std::move(info), slots));
  return std::vector<Series>{std::move(series)};
}

}  // namespace powertrace
