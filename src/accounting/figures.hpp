// SPDX-License-Identifier: Apache-2.0
//
// How amounts are written: twelve decimals are kept of money, mass and energy, so that parts still
// add up to their total and 0.0156 does not read 0.015600000000000001. Pure.
#pragma once

#include <cmath>
#include <string>

#include <fmt/format.h>

namespace powertrace {

inline double decimals(double value) {
  const double rounded = std::round(value * 1e12) / 1e12;
  return std::isfinite(rounded) ? (rounded == 0 ? 0.0 : rounded) : value;
}

// For people: "0.0156 EUR", "12.40 EUR".
inline std::string format_money(double value, const std::string& currency) {
  const int digits = std::fabs(value) >= 1 || value == 0 ? 2 : std::fabs(value) >= 0.01 ? 4 : 6;
  return fmt::format("{:.{}f} {}", value, digits, currency);
}

// "52.0 g", "1.20 kg"
inline std::string format_grams(double grams) {
  return std::fabs(grams) >= 1e6   ? fmt::format("{:.2f} t", grams / 1e6)
         : std::fabs(grams) >= 1e3 ? fmt::format("{:.2f} kg", grams / 1e3)
                                   : fmt::format("{:.3g} g", grams);
}

}  // namespace powertrace
