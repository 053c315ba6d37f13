// SPDX-License-Identifier: Apache-2.0
//
// The one clock is CLOCK_MONOTONIC, in ns, in BPF and in user space. Wall time is attached once per
// snapshot and never used for an interval.
#pragma once

#include <cstdint>
#include <ctime>
#include <string>

namespace powertrace {

inline std::uint64_t clock_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(now.tv_nsec);
}

inline std::uint64_t monotonic_ns() {
  return clock_ns(CLOCK_MONOTONIC);
}
inline std::uint64_t boottime_ns() {
  return clock_ns(CLOCK_BOOTTIME);
}
inline std::uint64_t realtime_ns() {
  return clock_ns(CLOCK_REALTIME);
}

// RFC 3339 in UTC with milliseconds: 2026-01-02T03:04:05.678Z.
std::string format_utc(std::uint64_t realtime_ns);

}  // namespace powertrace
