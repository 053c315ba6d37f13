// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/market_values.hpp"

#include <charconv>
#include <cmath>

#include "cli/commands/values.hpp"
#include "market/areas.hpp"
#include "market/local_time.hpp"

namespace powertrace {

Result<TimeZone> check_zone(const std::string& name, const std::string& area) {
  if (!name.empty()) {
    return at_option("--tz", TimeZone::find(name));
  }
  const Area* known = find_area(area);
  return known == nullptr ? TimeZone::utc() : TimeZone::find(std::string(known->zone));
}

Result<double> parse_amount(const char* option, const std::string& text, Quantity quantity) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const auto unit =
      parse_unit(std::string_view(end, static_cast<std::size_t>(text.data() + text.size() - end)));
  if (error != std::errc() || !std::isfinite(value) || !unit || unit->quantity != quantity) {
    return fail(ErrorCode::kUsage, "{}: \"{}\" is not a {} such as {}", option, text,
                quantity == Quantity::kPrice ? "price" : "carbon intensity",
                quantity == Quantity::kPrice ? "80EUR/MWh" : "200gCO2/kWh");
  }
  return value * unit->factor;
}

Result<std::int64_t> check_time(const char* option, const std::string& text, const TimeZone& zone) {
  if (const auto date = parse_date(text)) {
    return day_start(zone, *date);
  }
  const auto time = parse_time(text);
  if (!time) {
    return fail(ErrorCode::kUsage,
                "{}: \"{}\" is neither a day such as 2026-03-29 nor a time such as "
                "2026-03-29T01:00:00Z",
                option, text);
  }
  return *time;
}

}  // namespace powertrace
