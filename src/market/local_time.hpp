// SPDX-License-Identifier: Apache-2.0
//
// Local days and wall clocks in seconds: markets trade local days, which have 23, 24 or 25 hours.
// Services write times in more ways than base/wall_time.hpp takes. Any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/wall_time.hpp"

namespace powertrace {

constexpr int kMinutesPerDay = 1440;

struct Date {
  int year = 1970;
  int month = 1;
  int day = 1;
  auto operator<=>(const Date&) const = default;
};

// "2026-03-29"
Result<Date> parse_date(std::string_view text);
std::string format_date(const Date& date);
Date add_days(const Date& date, int days);

// "2026-05-03T22:00:00Z", "...T22:00Z", with a fraction or with an offset: seconds since the epoch.
// A time without an offset is an error unless `naive_is_utc`.
Result<std::int64_t> parse_time(std::string_view text, bool naive_is_utc = false);
// 2026-05-03T22:00:00Z
std::string format_time(std::int64_t utc_s);

struct LocalTime {
  Date date;
  int weekday = 0;   // 0: Monday
  int minute = 0;    // of the day, by the wall clock
  int offset_s = 0;  // local - UTC
};

LocalTime local_time(const TimeZone& zone, std::int64_t utc_s);
// The first instant of a local day. The day lasts until the next one's.
std::int64_t day_start(const TimeZone& zone, const Date& date);
// Wall clock, "2026-03-29 02:30"
std::string format_local(const TimeZone& zone, std::int64_t utc_s);

struct LocalSlot {
  std::int64_t start_s = 0;
  std::int64_t end_s = 0;
};

// The slots of a local day that a table labels by wall clock, "00:00-00:15" or "00:00 - 00:15":
// a label stands for the slot only if the clock shows just that, so that a day with a missing or a
// repeated hour comes out right, and a table with a row too many or too few is refused.
Result<std::vector<LocalSlot>> match_day_labels(const TimeZone& zone,
                                                const Date& date,
                                                std::span<const std::string> labels);

}  // namespace powertrace
