// SPDX-License-Identifier: Apache-2.0
//
// Wall time as people and other programs write it. Inside, an instant is milliseconds since 1970 in
// UTC; a zone matters only where text or a calendar is read. Pure but for reading the system's time
// zone database once per zone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace powertrace {

using UtcMs = std::int64_t;

inline constexpr UtcMs kMinuteMs = 60'000;
inline constexpr UtcMs kHourMs = 60 * kMinuteMs;
inline constexpr UtcMs kDayMs = 24 * kHourMs;

// RFC 3339 with seconds and a zone ("Z" or "+01:00"). A time without a zone is refused: it means
// something else on every machine. kUsage.
Result<UtcMs> parse_rfc3339(std::string_view text);

// "2026-01-02T03:04:05Z", with milliseconds only where there are any.
std::string format_rfc3339(UtcMs time);

// A zone of the IANA database, such as Europe/Paris.
class TimeZone {
 public:
  static TimeZone utc() { return TimeZone("UTC", nullptr); }
  static Result<TimeZone> find(std::string_view name);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::int64_t offset_ms(UtcMs time) const;

  // Where the local hour or day that holds `time` begins and where the next one does. A local day
  // has 23, 24 or 25 hours.
  [[nodiscard]] UtcMs hour_start(UtcMs time) const;
  [[nodiscard]] UtcMs next_hour(UtcMs time) const;
  [[nodiscard]] UtcMs day_start(UtcMs time) const;
  [[nodiscard]] UtcMs next_day(UtcMs time) const;

  // "2026-10-25T02:00:00+01:00"
  [[nodiscard]] std::string format(UtcMs time) const;

 private:
  TimeZone(std::string name, const void* zone) : name_(std::move(name)), zone_(zone) {}

  // First instant of the local day `days` after 1970-01-01.
  [[nodiscard]] UtcMs day_begin(std::int64_t days) const;

  std::string name_;
  const void* zone_;  // of the database, which lives for ever; null: UTC
};

}  // namespace powertrace
