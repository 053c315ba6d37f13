// SPDX-License-Identifier: Apache-2.0
// A result page that a person saved in a browser. The heading names market, area and day; a list
// beside the table has the periods; the table's columns go by their headers. Auctions have one row
// per period, continuous trading has rows of hours with their parts below them.
#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "market/areas.hpp"
#include "market/csv.hpp"
#include "market/markup.hpp"
#include "market/parsers.hpp"

namespace powertrace {
namespace {

constexpr const char* kEpexPage = "epex-page";
constexpr std::size_t kMaxColumns = 64;

struct Heading {
  std::string area;
  Date date;
};

struct Columns {
  std::size_t count = 0;
  std::optional<std::size_t> price;
  std::optional<std::size_t> volume;
  std::string price_unit;
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  for (std::string& part : parts) {
    const std::size_t first = part.find_first_not_of(" \t\r\n");
    part = first == std::string::npos
               ? ""
               : part.substr(first, part.find_last_not_of(" \t\r\n") + 1 - first);
  }
  return parts;
}

// "09 October 2025"
std::optional<Date> parse_long_date(const std::string& text) {
  constexpr std::array kMonths{"january",   "february", "march",    "april",
                               "may",       "june",     "july",     "august",
                               "september", "october",  "november", "december"};
  std::vector<std::string> words = split(text, ' ');
  if (words.size() != 3) {
    return std::nullopt;
  }
  const auto* const month = std::find(kMonths.begin(), kMonths.end(), lower(words[1]));
  if (month == kMonths.end()) {
    return std::nullopt;
  }
  const std::string day = words[0].size() == 1 ? "0" + words[0] : words[0];
  const auto date =
      parse_date(fmt::format("{}-{:02}-{}", words[2], month - kMonths.begin() + 1, day));
  return date ? std::optional(*date) : std::nullopt;
}

Result<Heading> read_heading(const xmlNode* root) {
  const auto headings = descendants(root, [](const xmlNode* node) {
    return node_name(node) == "h2" && node_text(node).find('>') != std::string::npos;
  });
  for (const xmlNode* node : headings) {
    const std::vector<std::string> parts = split(node_text(node), '>');
    const auto date = parse_long_date(parts.back());
    if (parts.size() >= 3 && date) {
      return Heading{parts[parts.size() - 2], *date};
    }
  }
  return fail(ErrorCode::kMalformed,
              "{}: no heading such as \"Auction > Intraday > IDA1 > FR > 09 October 2025\": this "
              "is no result page (it may be the page that checks the browser); save the page with "
              "the table from a browser",
              kEpexPage);
}

// The product's headers are the last row of <thead>; other rows group them.
Result<Columns> read_columns(const xmlNode* table) {
  Columns columns;
  const auto rows = children(child(table, "thead"), "tr");
  const xmlNode* header = rows.empty() ? child(table, "thead") : rows.back();
  for (const xmlNode* cell : children(header, "th")) {
    const std::string text = lower(node_text(cell));
    const std::string span = attribute(cell, "colspan");
    if (!span.empty() && span != "1") {
      return fail(ErrorCode::kMalformed, "{}: the header \"{}\" spans columns", kEpexPage,
                  text.substr(0, 40));
    }
    if (text.starts_with("price") || text.starts_with("weight")) {
      columns.price = columns.count;
      const std::size_t open = text.find('(');
      const std::size_t close = text.find(')', open == std::string::npos ? 0 : open);
      if (open != std::string::npos && close != std::string::npos) {
        columns.price_unit = text.substr(open + 1, close - open - 1);
      }
    } else if (text.starts_with("volume")) {
      columns.volume = columns.count;
    }
    ++columns.count;
  }
  if (!columns.price || columns.count > kMaxColumns) {
    return fail(ErrorCode::kMalformed,
                "{}: the table's header has no column \"Price\" or \"Weight Avg.\"", kEpexPage);
  }
  return columns;
}

struct Row {
  std::string label;
  std::vector<std::string> cells;
};

// Label i belongs to row i; their numbers must be equal. Rows of groups go, leaves stay.
Result<std::vector<Row>> read_rows(const xmlNode* root,
                                   const xmlNode* table,
                                   const Columns& columns) {
  std::vector<const xmlNode*> items;
  const auto lists =
      descendants(root, [](const xmlNode* node) { return has_class(node, "js-table-times"); });
  if (!lists.empty()) {
    items = descendants(lists.front(), [](const xmlNode* n) { return node_name(n) == "li"; });
  }
  const auto table_rows = descendants(child(table, "tbody"), [](const xmlNode* node) {
    return node_name(node) == "tr" && child(node, "td") != nullptr;
  });
  if (items.size() != table_rows.size() || items.empty()) {
    return fail(ErrorCode::kMalformed, "{}: {} periods but {} rows in the table", kEpexPage,
                items.size(), table_rows.size());
  }
  const bool nested = std::any_of(items.begin(), items.end(), [](const xmlNode* item) {
    return has_class(item, "no-children");
  });
  std::vector<Row> rows;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (nested && !has_class(items[i], "no-children")) {
      continue;
    }
    Row row{child_text(items[i], "a"), {}};
    for (const xmlNode* cell : children(table_rows[i], "td")) {
      row.cells.push_back(node_text(cell));
    }
    if (row.cells.size() != columns.count) {
      return fail(ErrorCode::kMalformed, "{}: row {} has {} cells, the header has {}", kEpexPage,
                  rows.size() + 1, row.cells.size(), columns.count);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<Series> column_series(SeriesInfo info,
                             const std::vector<Row>& rows,
                             const std::vector<LocalSlot>& ranges,
                             std::size_t column,
                             double factor) {
  std::vector<RawSlot> slots;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    PT_ASSIGN(std::optional<double> value, parse_cell(kEpexPage, rows[i].cells[column]));
    if (value) {
      *value *= factor;
    }
    slots.push_back({ranges[i].start_s, ranges[i].end_s, value});
  }
  return make_series(std::move(info), slots);
}

}  // namespace

Result<std::vector<Series>> parse_epex_page(std::string_view text, const ParseContext& context) {
  PT_ASSIGN(const Markup page, Markup::html(kEpexPage, text));
  PT_ASSIGN(const Heading heading, read_heading(page.root()));
  const auto tables = descendants(page.root(), [](const xmlNode* node) {
    return node_name(node) == "table" && node->parent != nullptr &&
           has_class(node->parent, "js-table-values");
  });
  if (tables.size() != 1) {
    return fail(ErrorCode::kMalformed, "{}: {} tables of values instead of one", kEpexPage,
                tables.size());
  }
  PT_ASSIGN(const Columns columns, read_columns(tables.front()));
  PT_ASSIGN(const std::vector<Row> rows, read_rows(page.root(), tables.front(), columns));
  PT_ASSIGN(const Area area, require_area(heading.area));
  PT_ASSIGN(const TimeZone zone, TimeZone::find(std::string(area.zone)));
  std::vector<std::string> labels;
  for (const Row& row : rows) {
    labels.push_back(row.label);
  }
  PT_ASSIGN(const std::vector<LocalSlot> ranges, match_day_labels(zone, heading.date, labels));
  const std::string unit_text = !columns.price_unit.empty() ? columns.price_unit
                                : area.name == "GB"         ? "GBP/MWh"
                                                            : "EUR/MWh";
  PT_ASSIGN(const Unit unit, parse_unit(unit_text));

  SeriesInfo info;
  info.currency = unit.currency;
  info.area = heading.area;
  info.source = kEpexPage;
  info.licence = "EPEX SPOT, for internal use";
  info.fetched_at_s = context.fetched_at_s;
  std::vector<Series> all;
  PT_ASSIGN(Series prices, column_series(info, rows, ranges, *columns.price, unit.factor));
  all.push_back(std::move(prices));
  if (columns.volume) {
    info.quantity = Quantity::kVolume;
    info.currency.clear();
    PT_ASSIGN(Series volumes, column_series(info, rows, ranges, *columns.volume, 1));
    all.push_back(std::move(volumes));
  }
  return all;
}

}  // namespace powertrace
