// SPDX-License-Identifier: Apache-2.0
//
// Checks that `cap` and `market` share.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "base/wall_time.hpp"
#include "market/series.hpp"

namespace powertrace {

inline constexpr const char* kCapStateDir = "/run/powertrace";
inline constexpr const char* kMarketDir = "/var/lib/powertrace/market";

// --tz, or else the area's zone, or else UTC.
Result<TimeZone> check_zone(const std::string& name, const std::string& area);

// "80EUR/MWh" in our unit of the quantity.
Result<double> parse_amount(const char* option, const std::string& text, Quantity quantity);

// "2026-03-29" (the start of that local day), or a time with its offset.
Result<std::int64_t> check_time(const char* option, const std::string& text, const TimeZone& zone);

}  // namespace powertrace
