// SPDX-License-Identifier: Apache-2.0
//
// Comma-separated values with a header, columns found by name. For the parsers only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace powertrace {

struct Csv {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  // each as wide as the header

  // By name, in any case, as a whole; nullopt: no such column.
  [[nodiscard]] std::optional<std::size_t> column(std::string_view name) const;
};

// Commas or, if the header has them and no comma, semicolons; quotes as in RFC 4180. A row of
// another width than the header is an error: a value in the wrong column is worse than none.
Result<Csv> parse_csv(std::string_view source, std::string_view text);

// "31.91", "-1,068.2"; nullopt: the cell is empty or "-". kMalformed for anything else.
Result<std::optional<double>> parse_cell(std::string_view source, std::string_view text);

}  // namespace powertrace
