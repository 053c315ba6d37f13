// SPDX-License-Identifier: Apache-2.0
#include "base/parse.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace powertrace {

Result<double> parse_double(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return fail(ErrorCode::kUsage, "\"{}\" is not a number", text);
  }
  return value;
}

Result<std::uint64_t> parse_duration_ns(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, double>, 6> kUnits{
      {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 6e10}, {"h", 3.6e12}}};
  const std::size_t unit_at = text.find_first_not_of("0123456789.");
  const std::string_view unit = unit_at == std::string_view::npos ? "" : text.substr(unit_at);
  for (const auto& [name, scale] : kUnits) {
    if (unit == name) {
      const auto value = parse_double(text.substr(0, unit_at));
      if (value && *value >= 0 && *value * scale < 9e18) {
        return static_cast<std::uint64_t>(std::llround(*value * scale));
      }
      break;
    }
  }
  return fail(ErrorCode::kUsage,
              "\"{}\" is not a duration: give a number and a unit (ns, us, ms, s, m, h), "
              "for example 250ms",
              text);
}

Result<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, double>, 4> kUnits{
      {{"", 1}, {"K", 1024}, {"M", 1024.0 * 1024}, {"G", 1024.0 * 1024 * 1024}}};
  const std::size_t unit_at = text.find_first_not_of("0123456789.");
  const std::string_view unit = unit_at == std::string_view::npos ? "" : text.substr(unit_at);
  for (const auto& [name, scale] : kUnits) {
    if (unit == name) {
      const auto value = parse_double(text.substr(0, unit_at));
      if (value && *value * scale < 9e18) {
        return static_cast<std::uint64_t>(std::llround(*value * scale));
      }
      break;
    }
  }
  return fail(ErrorCode::kUsage,
              "\"{}\" is not a size: give bytes, or a number and K, M or G, for example 64M", text);
}

Result<double> parse_fraction(std::string_view text) {
  const bool percent = !text.empty() && text.back() == '%';
  const auto value = parse_double(percent ? text.substr(0, text.size() - 1) : text);
  const double fraction = value ? *value / (percent ? 100.0 : 1.0) : -1.0;
  if (fraction < 0 || fraction > 1) {
    return fail(ErrorCode::kUsage,
                "\"{}\" is not a share: give a percentage from 0% to 100%, for example 0.5%", text);
  }
  return fraction;
}

}  // namespace powertrace
