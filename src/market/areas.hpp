// SPDX-License-Identifier: Apache-2.0
//
// Bidding zones: their local day and their code at ENTSO-E.
#pragma once

#include <span>
#include <string_view>

#include "base/result.hpp"

namespace powertrace {

struct Area {
  std::string_view name;  // "DE-LU"
  std::string_view zone;  // "Europe/Berlin"
  std::string_view eic;   // empty: not known here
};

std::span<const Area> areas();
// nullptr: unknown
const Area* find_area(std::string_view name);
// kUsage, with the nearest names
Result<Area> require_area(std::string_view name);

}  // namespace powertrace
