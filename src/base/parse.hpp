// SPDX-License-Identifier: Apache-2.0
//
// Values with units as people type them. Errors are kUsage and say what was expected.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.hpp"

namespace powertrace {

// "250ms", "2s", "1.5s", "10us", "1m", "1h" in ns. A unit is required, so that "100" cannot mean
// seconds to one reader and milliseconds to another.
Result<std::uint64_t> parse_duration_ns(std::string_view text);

// "64M", "1.5G", "4096" in bytes; K, M and G are powers of 1024.
Result<std::uint64_t> parse_size(std::string_view text);

// "0.5%" or "0.005" as a fraction in [0, 1].
Result<double> parse_fraction(std::string_view text);

// A finite number, the whole text.
Result<double> parse_double(std::string_view text);

}  // namespace powertrace
