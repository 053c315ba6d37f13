// SPDX-License-Identifier: Apache-2.0
#include "base/wall_time.hpp"

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <optional>

#include <date/date.h>
#include <date/tz.h>
#include <fmt/format.h>

namespace powertrace {
namespace {

using std::chrono::milliseconds;

UtcMs floor_to(UtcMs time, UtcMs step) {
  return time - ((time % step) + step) % step;
}

// Reads fixed-width fields from left to right; any mismatch makes it fail for good.
class Fields {
 public:
  explicit Fields(std::string_view text) : rest_(text) {}

  int number(std::size_t digits) {
    int value = -1;
    if (rest_.size() >= digits) {
      const char* end = rest_.data() + digits;
      const auto result = std::from_chars(rest_.data(), end, value);
      ok_ = ok_ && result.ec == std::errc() && result.ptr == end && value >= 0;
      rest_.remove_prefix(digits);
    } else {
      ok_ = false;
    }
    return value;
  }
  // One of these characters, and which.
  char one_of(std::string_view characters) {
    if (rest_.empty() || characters.find(rest_.front()) == std::string_view::npos) {
      ok_ = false;
      return 0;
    }
    const char found = rest_.front();
    rest_.remove_prefix(1);
    return found;
  }
  // ".123456" as whole milliseconds; nothing there is 0.
  int fraction_ms() {
    if (rest_.empty() || rest_.front() != '.') {
      return 0;
    }
    rest_.remove_prefix(1);
    int value = 0;
    int digits = 0;
    for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; ++digits) {
      value = digits < 3 ? value * 10 + (rest_.front() - '0') : value;
      rest_.remove_prefix(1);
    }
    ok_ = ok_ && digits > 0;
    for (int i = digits; i < 3; ++i) {
      value *= 10;
    }
    return value;
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool done() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

tl::unexpected<Error> not_a_time(std::string_view text) {
  return fail(ErrorCode::kUsage,
              "\"{}\" is not a time: write it with its zone as in 2026-01-02T03:04:05Z or "
              "2026-01-02T03:04:05+01:00",
              text);
}

}  // namespace

Result<UtcMs> parse_rfc3339(std::string_view text) {
  Fields fields(text);
  const int year = fields.number(4);
  fields.one_of("-");
  const int month = fields.number(2);
  fields.one_of("-");
  const int day = fields.number(2);
  fields.one_of("Tt ");
  const int hour = fields.number(2);
  fields.one_of(":");
  const int minute = fields.number(2);
  fields.one_of(":");
  const int second = fields.number(2);
  const int ms = fields.fraction_ms();
  const char sign = fields.one_of("Zz+- ");
  int offset_minutes = 0;
  if (sign == '+' || sign == '-' || sign == ' ') {  // an unescaped '+' in a URL is a blank
    const int hours = fields.number(2);
    fields.one_of(":");
    const int minutes = fields.number(2);
    if (!fields.done() || hours > 23 || minutes > 59) {
      return not_a_time(text);
    }
    offset_minutes = (sign == '-' ? -1 : 1) * (hours * 60 + minutes);
  }
  const date::year_month_day date{date::year(year), date::month(static_cast<unsigned>(month)),
                                  date::day(static_cast<unsigned>(day))};
  if (!fields.done() || !date.ok() || year < 1970 || hour > 23 || minute > 59 || second > 60) {
    return not_a_time(text);
  }
  const auto days = date::sys_days(date).time_since_epoch().count();
  return days * kDayMs + hour * kHourMs + (minute - offset_minutes) * kMinuteMs + second * 1000LL +
         ms;
}

std::string format_rfc3339(UtcMs time) {
  const UtcMs day = floor_to(time, kDayMs);
  const date::year_month_day date{date::sys_days(date::days(day / kDayMs))};
  const UtcMs in_day = time - day;
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  in_day / kHourMs, in_day / kMinuteMs % 60, in_day / 1000 % 60);
  if (in_day % 1000 != 0) {
    text += fmt::format(".{:03}", in_day % 1000);
  }
  return text + "Z";
}

Result<TimeZone> TimeZone::find(std::string_view name) {
  if (name == "UTC" || name == "Z") {
    return utc();
  }
  try {
    return TimeZone(std::string(name), date::locate_zone(std::string(name)));
  } catch (const std::exception&) {
    return fail(ErrorCode::kUsage,
                "\"{}\" is not a time zone of this system: use a name such as UTC or Europe/Paris "
                "(the package tzdata brings them)",
                name);
  }
}

std::int64_t TimeZone::offset_ms(UtcMs time) const {
  if (zone_ == nullptr) {
    return 0;
  }
  const auto* zone = static_cast<const date::time_zone*>(zone_);
  const date::sys_info info = zone->get_info(date::sys_time<milliseconds>(milliseconds(time)));
  return std::chrono::duration_cast<milliseconds>(info.offset).count();
}

UtcMs TimeZone::hour_start(UtcMs time) const {
  const std::int64_t offset = offset_ms(time);
  return floor_to(time + offset, kHourMs) - offset;
}

UtcMs TimeZone::next_hour(UtcMs time) const {
  return hour_start(time) + kHourMs;
}

UtcMs TimeZone::day_begin(std::int64_t days) const {
  const UtcMs local = days * kDayMs;
  if (zone_ == nullptr) {
    return local;
  }
  const auto* zone = static_cast<const date::time_zone*>(zone_);
  const date::local_time<milliseconds> midnight{milliseconds(local)};
  const date::local_info info = zone->get_info(midnight);
  // A midnight that the clock skips begins when the clock jumps; one that comes twice begins at
  // the first.
  return info.result == date::local_info::nonexistent
             ? std::chrono::duration_cast<milliseconds>(info.first.end.time_since_epoch()).count()
             : local - std::chrono::duration_cast<milliseconds>(info.first.offset).count();
}

UtcMs TimeZone::day_start(UtcMs time) const {
  return day_begin(floor_to(time + offset_ms(time), kDayMs) / kDayMs);
}

UtcMs TimeZone::next_day(UtcMs time) const {
  return day_begin(floor_to(time + offset_ms(time), kDayMs) / kDayMs + 1);
}

std::string TimeZone::format(UtcMs time) const {
  const std::int64_t offset = offset_ms(time);
  std::string text = format_rfc3339(time + offset);
  if (offset == 0) {
    return text;
  }
  text.pop_back();
  const std::int64_t minutes = std::abs(offset) / kMinuteMs;
  return text + fmt::format("{}{:02}:{:02}", offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

}  // namespace powertrace
