// SPDX-License-Identifier: Apache-2.0
//
// Conversions and divisions of the units that everything counts in: nJ, ns, s.
#pragma once

#include <cstdint>

namespace powertrace {

constexpr std::int64_t kMinuteS = 60;
constexpr std::int64_t kHourS = 60 * kMinuteS;
constexpr std::int64_t kSecondsPerDay = 24 * kHourS;

constexpr double joules(double nanojoules) {
  return nanojoules / 1e9;
}
constexpr double joules(std::int64_t nanojoules) {
  return joules(static_cast<double>(nanojoules));
}

constexpr double seconds(std::uint64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e9;
}

// amount * part / whole, rounded towards zero, without overflow.
constexpr std::int64_t share(std::int64_t amount, std::int64_t part, std::int64_t whole) {
  __extension__ using Wide = __int128;
  return static_cast<std::int64_t>(static_cast<Wide>(amount) * part / whole);
}

}  // namespace powertrace
