// SPDX-License-Identifier: Apache-2.0
#include "market/local_time.hpp"

#include <charconv>
#include <chrono>
#include <optional>

#include "base/units.hpp"

namespace powertrace {
namespace {

namespace chrono = std::chrono;

chrono::year_month_day civil(const Date& date) {
  return {chrono::year(date.year), chrono::month(static_cast<unsigned>(date.month)),
          chrono::day(static_cast<unsigned>(date.day))};
}

// Days since the epoch.
std::int64_t days_of(const Date& date) {
  return chrono::sys_days(civil(date)).time_since_epoch().count();
}

Date from_days(std::int64_t days) {
  const chrono::year_month_day ymd{chrono::sys_days{chrono::days{days}}};
  return {static_cast<int>(ymd.year()), static_cast<int>(static_cast<unsigned>(ymd.month())),
          static_cast<int>(static_cast<unsigned>(ymd.day()))};
}

std::int64_t floor_days(std::int64_t time_s) {
  return (time_s - (time_s % kSecondsPerDay + kSecondsPerDay) % kSecondsPerDay) / kSecondsPerDay;
}

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
  const chrono::year_month_day checked = civil({*year, *month, *day});
  if (!checked.ok() || *year < 1970 || *year > 2200) {
    return std::nullopt;
  }
  return Date{*year, *month, *day};
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
  return from_days(days_of(date) + days);
}

Result<std::int64_t> parse_time(std::string_view text, bool naive_is_utc) {
  const std::string whole(text.substr(0, 40));
  const auto date = take_date(text);
  if (date && (take(text, 'T') || take(text, ' '))) {
    if (const auto seconds = take_clock(text)) {
      const bool naive = text.empty();
      const auto offset = naive ? std::optional<int>(0) : take_offset(text);
      if (offset && text.empty() && (!naive || naive_is_utc)) {
        return days_of(*date) * kSecondsPerDay + *seconds - *offset;
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
  return format_rfc3339(utc_s * 1000);
}

LocalTime local_time(const TimeZone& zone, std::int64_t utc_s) {
  const std::int64_t offset_s = zone.offset_ms(utc_s * 1000) / 1000;
  const std::int64_t local_s = utc_s + offset_s;
  const std::int64_t days = floor_days(local_s);
  const chrono::weekday weekday{chrono::sys_days{chrono::days{days}}};
  return {from_days(days), static_cast<int>((weekday - chrono::Monday).count()),
          static_cast<int>((local_s - days * kSecondsPerDay) / kMinuteS),
          static_cast<int>(offset_s)};
}

std::int64_t day_start(const TimeZone& zone, const Date& date) {
  // Local noon is in the day, whatever the clock does at its ends.
  const std::int64_t utc_noon_s = days_of(date) * kSecondsPerDay + kSecondsPerDay / 2;
  const std::int64_t noon_ms = utc_noon_s * 1000 - zone.offset_ms(utc_noon_s * 1000);
  return zone.day_start(noon_ms) / 1000;
}

std::string format_local(const TimeZone& zone, std::int64_t utc_s) {
  const LocalTime time = local_time(zone, utc_s);
  return format_date(time.date) + " " + clock_text(time.minute);
}

Result<std::vector<LocalSlot>> match_day_labels(const TimeZone& zone,
                                                const Date& date,
                                                std::span<const std::string> labels) {
  const std::int64_t day_end_s = day_start(zone, add_days(date, 1));
  std::int64_t at_s = day_start(zone, date);
  std::vector<LocalSlot> ranges;
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
    const int begin = local_time(zone, at_s).minute;
    const int end_by_clock = local_time(zone, at_s + step_s).minute;
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
                clock_text(local_time(zone, at_s).minute), format_date(date), zone.name());
  }
  return ranges;
}

}  // namespace powertrace
