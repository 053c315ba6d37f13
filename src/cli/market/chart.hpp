// SPDX-License-Identifier: Apache-2.0
//
// A series as text: hours as rows with their slots side by side, and a small chart. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/wall_time.hpp"
#include "market/series.hpp"

namespace powertrace {

// One row per hour by the wall clock; an hour that comes twice has two rows.
std::string series_table(std::span<const Slot> slots, const TimeZone& zone, double scale);

// Columns of blocks, at most `width`; below 0 they hang from the zero line. `blocks` false: ASCII.
std::string series_chart(std::span<const Slot> slots, double scale, std::size_t width, bool blocks);

}  // namespace powertrace
