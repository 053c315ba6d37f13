// SPDX-License-Identifier: Apache-2.0
#include "market/csv.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include "base/text.hpp"

namespace powertrace {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

// One line; a quoted field may hold separators and doubled quotes but no line break.
std::optional<std::vector<std::string>> split(std::string_view line, char separator) {
  std::vector<std::string> cells;
  std::string cell;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (quoted && line[i] == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      cell += '"';
      ++i;
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (line[i] == separator && !quoted) {
      cells.emplace_back(trimmed(cell));
      cell.clear();
    } else {
      cell += line[i];
    }
  }
  cells.emplace_back(trimmed(cell));
  return quoted ? std::nullopt : std::optional(cells);
}

}  // namespace

std::optional<std::size_t> Csv::column(std::string_view name) const {
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (lower(header[i]) == lower(name)) {
      return i;
    }
  }
  return std::nullopt;
}

Result<Csv> parse_csv(std::string_view source, std::string_view text) {
  Csv csv;
  if (text.starts_with("\xEF\xBB\xBF")) {
    text.remove_prefix(3);
  }
  char separator = ',';
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (trimmed(line).empty()) {
      continue;
    }
    if (csv.header.empty() && line.find(',') == std::string_view::npos &&
        line.find(';') != std::string_view::npos) {
      separator = ';';
    }
    auto cells = split(line, separator);
    if (!cells) {
      return fail(ErrorCode::kMalformed, "{}: line {}: a quote is not closed", source, number);
    }
    if (csv.header.empty()) {
      csv.header = std::move(*cells);
    } else if (cells->size() != csv.header.size()) {
      return fail(ErrorCode::kMalformed, "{}: line {} has {} columns, the header has {}", source,
                  number, cells->size(), csv.header.size());
    } else {
      csv.rows.push_back(std::move(*cells));
    }
  }
  if (csv.header.empty()) {
    return fail(ErrorCode::kMalformed, "{}: the file is empty", source);
  }
  return csv;
}

Result<std::optional<double>> parse_cell(std::string_view source, std::string_view text) {
  if (text.empty() || text == "-") {
    return std::optional<double>();
  }
  std::string plain;
  std::size_t since_comma = 0;
  bool commas = false;
  bool fraction = false;
  bool good = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ',') {
      // A comma before the third digit from the right may be a decimal comma: then it is not clear
      // what is meant.
      good = good && !fraction && since_comma > 0 && (commas ? since_comma == 3 : since_comma <= 3);
      commas = true;
      since_comma = 0;
      continue;
    }
    if (c == '.') {
      good = good && !fraction && (!commas || since_comma == 3);
      fraction = true;
    } else if (!fraction && c != '-') {
      ++since_comma;
    }
    plain += c;
  }
  good = good && (!commas || fraction || since_comma == 3);
  double value = 0;
  const auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), value);
  if (!good || error != std::errc() || end != plain.data() + plain.size() ||
      !std::isfinite(value)) {
    return fail(ErrorCode::kMalformed, "{}: \"{}\" is not a number", source, text.substr(0, 40));
  }
  return std::optional<double>(value);
}

}  // namespace powertrace
