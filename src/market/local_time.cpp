// SPDX-License-Identifier: Apache-2.0
#include "market/local_time.hpp"

#include <charconv>
#include <chrono>
#include <exception>
#include <optional>

#include <date/tz.h>

namespace powertrace {
namespace {

constexpr int kMinutesPerDay = 1440;
constexpr std::int64_t kMinuteS = 60;

// Exactly `digits` digits at the front of `text`, which are removed.
std::optional<int> take_digits(std::string_view& text, std::size_t digits) {
  int value = 0;
  if (text.size() < digits) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') {
      return std::nullopt;
    }
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

std::optional<Date> take_date(std::string_view& text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, '-')) {
    return std::nullopt;
  }
  const auto month = take_digits(text, 2);
  if (!month || !take(text, '-')) {
    return std::nullopt;
  }
  const auto day = take_digits(text, 2);
  if (!day) {
    return std::nullopt;
  }
  const date::year_month_day checked{date::year{*year}, date::month(static_cast<unsigned>(*month)),
                                     date::day(static_cast<unsigned>(*day))};
  if (!checked.ok() || *year < 1970 || *year > 2200) {
    return std::nullopt;
  }
  return Date{*year, *month, *day};
}

date::local_days local_days(const Date& date) {
  return date::local_days(date::year_month_day{date::year{date.year},
                                               date::month(static_cast<unsigned>(date.month)),
                                               date::day(static_cast<unsigned>(date.day))});
}

Date from_days(date::local_days days) {
  const date::year_month_day ymd(days);
  return {static_cast<int>(ymd.year()), static_cast<int>(static_cast<unsigned>(ymd.month())),
          static_cast<int>(static_cast<unsigned>(ymd.day()))};
}

// Seconds of the day: "22:00", "22:00:00", "22:00:00.000".
std::optional<int> take_clock(std::string_view& text) {
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) {
    return std::nullopt;
  }
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59) {
    return std::nullopt;
  }
  int second = 0;
  if (take(text, ':')) {
    const auto given = take_digits(text, 2);
    if (!given || *given > 59) {
      return std::nullopt;
    }
    second = *given;
    if (take(text, '.')) {
      if (!take_digits(text, 1)) {
        return std::nullopt;
      }
      while (take_digits(text, 1)) {
      }
    }
  }
  return *hour * 3600 + *minute * 60 + second;
}

// "Z", "+02:00", "+0200"; nullopt: something else.
std::optional<int> take_offset(std::string_view& text) {
  if (take(text, 'Z')) {
    return 0;
  }
  const bool west = take(text, '-');
  if (!west && !take(text, '+')) {
    return std::nullopt;
  }
  const auto hours = take_digits(text, 2);
  take(text, ':');
  const auto minutes = take_digits(text, 2);
  if (!hours || !minutes || *hours > 14 || *minutes > 59) {
    return std::nullopt;
  }
  return (west ? -1 : 1) * (*hours * 3600 + *minutes * 60);
}

struct Label {
  int begin = 0;  // minutes of the day
  int end = 0;    // 1440 for 24:00 and for 00:00
};

std::optional<Label> parse_label(const std::string& label) {
  std::string plain;
  for (const char c : label) {
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
      plain += c;
    }
  }
  std::string_view text = plain;
  const auto clock = [&text]() -> std::optional<int> {
    const auto hour = take_digits(text, 2);
    if (!hour || !take(text, ':')) {
      return std::nullopt;
    }
    const auto minute = take_digits(text, 2);
    if (!minute || *minute > 59 || *hour * 60 + *minute > kMinutesPerDay) {
      return std::nullopt;
    }
    return *hour * 60 + *minute;
  };
  const auto begin = clock();
  if (!begin || !take(text, '-')) {
    return std::nullopt;
  }
  const auto end = clock();
  if (!end || !text.empty() || *begin == kMinutesPerDay) {
    return std::nullopt;
  }
  return Label{*begin, *end == 0 ? kMinutesPerDay : *end};
}

std::string clock_text(int minute) {
  return fmt::format("{:02}:{:02}", minute / 60, minute % 60);
}

}  // namespace

Result<Date> parse_date(std::string_view text) {
  const std::string whole(text.substr(0, 40));
  const auto date = take_date(text);
  if (!date || !text.empty()) {
    return fail(ErrorCode::kUsage, "\"{}\" is not a date; write it as 2026-03-29", whole);
  }
  return *date;
}

std::string format_date(const Date& date) {
  return fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day);
}

Date add_days(const Date& date, int days) {
  return from_days(local_days(date) + date::days(days));
}

Result<std::int64_t> parse_time(std::string_view text, bool naive_is_utc) {
  const std::string whole(text.substr(0, 40));
  const auto date = take_date(text);
  if (date && (take(text, 'T') || take(text, ' '))) {
    if (const auto seconds = take_clock(text)) {
      const bool naive = text.empty();
      const auto offset = naive ? std::optional<int>(0) : take_offset(text);
      if (offset && text.empty() && (!naive || naive_is_utc)) {
        return local_days(*date).time_since_epoch().count() * kSecondsPerDay + *seconds - *offset;
      }
      if (naive) {
        return fail(ErrorCode::kMalformed,
                    "the time \"{}\" does not say its offset from UTC; write "
                    "2026-03-29T01:00:00Z or 2026-03-29T03:00:00+02:00",
                    whole);
      }
    }
  }
  return fail(ErrorCode::kMalformed, "\"{}\" is not a time like 2026-03-29T01:00:00Z", whole);
}

std::string format_time(std::int64_t utc_s) {
  const auto days = date::floor<date::days>(date::sys_seconds(std::chrono::seconds(utc_s)));
  const auto seconds = utc_s - days.time_since_epoch().count() * kSecondsPerDay;
  const Date date = from_days(date::local_days(days.time_since_epoch()));
  return fmt::format("{}T{:02}:{:02}:{:02}Z", format_date(date), seconds / 3600, seconds / 60 % 60,
                     seconds % 60);
}

Result<TimeZone> TimeZone::find(const std::string& name) {
  try {
    return TimeZone(name, date::locate_zone(name));
  } catch (const std::exception&) {
    return fail(ErrorCode::kUsage,
                "\"{}\" is not a time zone of this system; use a name like Europe/Paris (and "
                "install tzdata)",
                name.substr(0, 64));
  }
}

LocalTime TimeZone::local(std::int64_t utc_s) const {
  const auto* zone = static_cast<const date::time_zone*>(zone_);
  const date::sys_seconds time{std::chrono::seconds(utc_s)};
  const auto offset = zone->get_info(time).offset;
  const date::local_seconds local(time.time_since_epoch() + offset);
  const auto days = date::floor<date::days>(local);
  const date::weekday weekday(days);
  return {from_days(days), static_cast<int>((weekday - date::Monday).count()),
          static_cast<int>(std::chrono::duration_cast<std::chrono::minutes>(local - days).count()),
          static_cast<int>(offset.count())};
}

std::int64_t TimeZone::day_start(const Date& date) const {
  const auto* zone = static_cast<const date::time_zone*>(zone_);
  // Where midnight is skipped, this is the instant of the change.
  const auto start = zone->to_sys(date::local_seconds(local_days(date)), date::choose::earliest);
  return start.time_since_epoch().count();
}

std::string TimeZone::format(std::int64_t utc_s) const {
  const LocalTime time = local(utc_s);
  return format_date(time.date) + " " + clock_text(time.minute);
}

Result<std::vector<TimeRange>> match_day_labels(const TimeZone& zone,
                                                const Date& date,
                                                std::span<const std::string> labels) {
  const std::int64_t day_end_s = zone.day_start(add_days(date, 1));
  std::int64_t at_s = zone.day_start(date);
  std::vector<TimeRange> ranges;
  std::int64_t step_s = 0;
  for (const std::string& text : labels) {
    const auto label = parse_label(text);
    if (!label) {
      return fail(ErrorCode::kMalformed, "row {}: \"{}\" is not a period like 00:15-00:30",
                  ranges.size() + 1, text.substr(0, 40));
    }
    if (ranges.empty()) {
      step_s = (label->end - label->begin) * kMinuteS;
      if (step_s <= 0) {
        return fail(ErrorCode::kMalformed, "row 1: the period \"{}\" ends before it begins", text);
      }
    }
    const int begin = zone.local(at_s).minute;
    const int end_by_clock = zone.local(at_s + step_s).minute;
    const int end_by_length = begin + static_cast<int>(step_s / kMinuteS);
    const bool end_fits = label->end == end_by_length ||
                          label->end == (end_by_clock == 0 ? kMinutesPerDay : end_by_clock);
    if (at_s >= day_end_s || label->begin != begin || !end_fits) {
      return fail(ErrorCode::kMalformed,
                  "row {}: the period is \"{}\", but {} in {} has {} there: rows are missing, "
                  "repeated or of another day",
                  ranges.size() + 1, text, format_date(date), zone.name(),
                  at_s >= day_end_s ? "ended" : clock_text(begin));
    }
    ranges.push_back({at_s, at_s + step_s});
    at_s += step_s;
  }
  if (at_s != day_end_s) {
    return fail(ErrorCode::kMalformed, "{} rows end at {}; {} in {} lasts longer", ranges.size(),
                clock_text(zone.local(at_s).minute), format_date(date), zone.name());
  }
  return ranges;
}

}  // namespace powertrace
