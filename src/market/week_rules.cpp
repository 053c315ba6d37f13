// SPDX-License-Identifier: Apache-2.0
#include "market/week_rules.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/units.hpp"

namespace powertrace {
namespace {

constexpr std::int64_t kMaxTariffDays = 3700;

constexpr std::array<std::string_view, 7> kDays{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};

std::vector<std::string> split(std::string_view text, std::string_view separators) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = text.find_first_of(separators);
    if (end > 0) {
      parts.emplace_back(text.substr(0, end));
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return parts;
}

// "nov-feb" as the bits of a list of names, round its end; nullopt: not from this list.
template <std::size_t N>
std::optional<std::uint16_t> name_range(std::string_view text,
                                        const std::array<std::string_view, N>& names) {
  const std::size_t dash = text.find('-');
  const std::string_view last_name = dash == std::string_view::npos ? text : text.substr(dash + 1);
  const auto first = std::find(names.begin(), names.end(), text.substr(0, dash));
  const auto last = std::find(names.begin(), names.end(), last_name);
  if (first == names.end() || last == names.end()) {
    return std::nullopt;
  }
  std::uint16_t bits = 0;
  for (auto i = static_cast<std::size_t>(first - names.begin());; i = (i + 1) % N) {
    bits = static_cast<std::uint16_t>(bits | 1U << i);
    if (i == static_cast<std::size_t>(last - names.begin())) {
      return bits;
    }
  }
}

std::optional<int> clock(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') {
    return std::nullopt;
  }
  const std::array<char, 4> digits{text[0], text[1], text[3], text[4]};
  if (!std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return std::nullopt;
  }
  const int hour = (digits[0] - '0') * 10 + (digits[1] - '0');
  const int minute = (digits[2] - '0') * 10 + (digits[3] - '0');
  const int total = hour * 60 + minute;
  return minute < 60 && total <= kMinutesPerDay ? std::optional(total) : std::nullopt;
}

bool hours(std::string_view text, WeekRule& rule) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) {
    return false;
  }
  const auto from = clock(text.substr(0, dash));
  const auto to = clock(text.substr(dash + 1));
  if (!from || !to || *from == *to || *from == kMinutesPerDay) {
    return false;
  }
  rule.from_minute = *from;
  rule.to_minute = *to;
  return true;
}

Result<WeekRule> parse_rule(const std::string& text) {
  WeekRule rule;
  const std::vector<std::string> words = split(text, " \t");
  const std::string& first = words.front();
  const auto [end, error] = std::from_chars(first.data(), first.data() + first.size(), rule.value);
  if (error != std::errc() || !std::isfinite(rule.value)) {
    return fail(ErrorCode::kUsage, "\"{}\": a rule begins with its value, as in \"60% mon-fri\"",
                text);
  }
  rule.unit.assign(end, first.data() + first.size());
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (const auto days = name_range(words[i], kDays)) {
      rule.days = static_cast<std::uint8_t>(*days);
    } else if (const auto months = name_range(words[i], kMonths)) {
      rule.months = *months;
    } else if (i == 1 && rule.unit.empty() && words[i].find('/') != std::string::npos) {
      rule.unit = words[i];
    } else if (!hours(words[i], rule)) {
      return fail(ErrorCode::kUsage,
                  "\"{}\": \"{}\" is neither days (mon-fri), nor months (nov-feb), nor hours "
                  "(22:00-06:00)",
                  text, words[i]);
    }
  }
  return rule;
}

bool fits(const WeekRule& rule, const LocalTime& time) {
  const bool hour = rule.from_minute < rule.to_minute
                        ? time.minute >= rule.from_minute && time.minute < rule.to_minute
                        : time.minute >= rule.from_minute || time.minute < rule.to_minute;
  return hour && (rule.days >> static_cast<unsigned>(time.weekday) & 1U) != 0 &&
         (rule.months >> static_cast<unsigned>(time.date.month - 1) & 1U) != 0;
}

}  // namespace

const WeekRule& WeekRules::at(const LocalTime& time) const {
  const auto found = std::find_if(rules.rbegin(), rules.rend(),
                                  [&time](const WeekRule& rule) { return fits(rule, time); });
  return found == rules.rend() ? rules.front() : *found;
}

Result<WeekRules> parse_week_rules(std::string_view text) {
  WeekRules week;
  for (const std::string& part : split(text, ",;")) {
    if (part.find_first_not_of(" \t") == std::string::npos) {
      continue;
    }
    PT_ASSIGN(WeekRule rule, parse_rule(part));
    if (rule.unit.empty() && !week.rules.empty()) {
      rule.unit = week.rules.front().unit;
    }
    week.rules.push_back(std::move(rule));
  }
  const WeekRule always;
  if (week.rules.empty() || week.rules.front().days != always.days ||
      week.rules.front().months != always.months ||
      week.rules.front().from_minute != always.from_minute ||
      week.rules.front().to_minute != always.to_minute) {
    return fail(ErrorCode::kUsage,
                "\"{}\": the first rule must be for all times, as in \"0.30EUR/kWh, 0.22 mon-fri "
                "22:00-06:00\"",
                text);
  }
  return week;
}

Result<Series> tariff_series(const WeekRules& rules,
                             const TimeZone& zone,
                             std::int64_t from_s,
                             std::int64_t to_s) {
  constexpr std::int64_t kStepS = 15 * kMinuteS;
  PT_ASSIGN(const Unit unit, parse_unit(rules.rules.front().unit));
  if (unit.quantity != Quantity::kPrice) {
    return fail(ErrorCode::kUsage, "\"{}\" is no unit of a price", rules.rules.front().unit);
  }
  if (from_s < 0 || to_s <= from_s || to_s - from_s > kMaxTariffDays * kSecondsPerDay) {
    return fail(ErrorCode::kUsage, "a tariff cannot be laid out from {} to {}", from_s, to_s);
  }
  for (const WeekRule& rule : rules.rules) {
    PT_ASSIGN(const Unit other, parse_unit(rule.unit));
    if (other.quantity != unit.quantity || other.currency != unit.currency ||
        rule.from_minute % 15 != 0 || rule.to_minute % 15 != 0) {
      return fail(ErrorCode::kUsage,
                  "a tariff needs one currency and hours in quarters, such as 22:15-06:00");
    }
  }
  std::vector<RawSlot> slots;
  for (std::int64_t at_s = from_s; at_s < to_s;) {
    const WeekRule& rule = rules.at(local_time(zone, at_s));
    PT_ASSIGN(const Unit own, parse_unit(rule.unit));
    const double price = rule.value * own.factor;
    // All zones of today differ from UTC by quarters of an hour.
    const std::int64_t end_s = std::min(at_s - at_s % kStepS + kStepS, to_s);
    const bool joins = !slots.empty() && slots.back().value == price && at_s % kHourS != 0;
    if (joins) {
      slots.back().end_s = end_s;
    } else {
      slots.push_back({at_s, end_s, price});
    }
    at_s = end_s;
  }
  SeriesInfo info;
  info.currency = unit.currency;
  info.area = "local";
  info.source = "tariff";
  info.licence = "your own";
  return make_series(std::move(info), slots);
}

}  // namespace powertrace
