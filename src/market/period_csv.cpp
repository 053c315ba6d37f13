// SPDX-License-Identifier: Apache-2.0
// The day files of the EPEX power manager: "Period,Volume (MWh),Price (EUR sign/MWh)", periods by
// the local wall clock, the last one "23:45-24:00".
#include "market/csv.hpp"
#include "market/parsers.hpp"

namespace powertrace {
namespace {

constexpr const char* kPeriodCsv = "period-csv";

struct Column {
  std::size_t index = 0;
  Unit unit;
};

// "Price (EUR/MWh)": the unit is in the header.
Result<std::optional<Column>> find_column(const Csv& csv, std::string_view name) {
  for (std::size_t i = 0; i < csv.header.size(); ++i) {
    const std::string& header = csv.header[i];
    const std::size_t open = header.find('(');
    if (!header.starts_with(name) || open == std::string::npos || !header.ends_with(')')) {
      continue;
    }
    PT_ASSIGN(const Unit unit, parse_unit(header.substr(open + 1, header.size() - open - 2)));
    return std::optional<Column>({i, unit});
  }
  return std::optional<Column>();
}

}  // namespace

Result<std::vector<Series>> parse_period_csv(std::string_view text,
                                             const TimeZone& zone,
                                             const Date& date,
                                             const ParseContext& context) {
  PT_ASSIGN(const Csv csv, parse_csv(kPeriodCsv, text));
  const auto period = csv.column("Period");
  PT_ASSIGN(const auto price, find_column(csv, "Price"));
  PT_ASSIGN(const auto volume, find_column(csv, "Volume"));
  if (!period || (!price && !volume) || (price && price->unit.quantity != Quantity::kPrice) ||
      (volume && volume->unit.quantity != Quantity::kVolume)) {
    return fail(ErrorCode::kMalformed,
                "{}: the header must be Period, Volume (MWh), Price (\u20AC/MWh)", kPeriodCsv);
  }
  std::vector<std::string> labels;
  for (const auto& row : csv.rows) {
    labels.push_back(row[*period]);
  }
  PT_ASSIGN(const std::vector<LocalSlot> ranges, match_day_labels(zone, date, labels));

  SeriesInfo info;
  info.area = context.area;
  info.source = kPeriodCsv;
  info.licence = "from a file";
  info.fetched_at_s = context.fetched_at_s;
  std::vector<Series> all;
  for (const auto& column : {price, volume}) {
    if (!column) {
      continue;
    }
    std::vector<RawSlot> slots;
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      PT_ASSIGN(std::optional<double> value, parse_cell(kPeriodCsv, csv.rows[i][column->index]));
      if (value) {
        *value *= column->unit.factor;
      }
      slots.push_back({ranges[i].start_s, ranges[i].end_s, value});
    }
    info.quantity = column->unit.quantity;
    info.currency = column->unit.currency;
    PT_ASSIGN(Series series, make_series(info, slots));
    all.push_back(std::move(series));
  }
  return all;
}

}  // namespace powertrace
