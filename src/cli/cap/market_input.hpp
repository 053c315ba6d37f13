// SPDX-License-Identifier: Apache-2.0
//
// The series that a policy follows, from the market store, read again when its files change.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "market/series.hpp"
#include "market/store.hpp"
#include "market/week_rules.hpp"

namespace powertrace {

class MarketInput {
 public:
  MarketInput(std::string dir, Quantity quantity, std::string area, std::string provider)
      : store_(std::move(dir)),
        quantity_(quantity),
        area_(std::move(area)),
        provider_(std::move(provider)) {}

  // Prices by the clock instead of the store's.
  void use_tariff(const WeekRules& rules, const TimeZone& zone) {
    tariff_ = rules;
    zone_ = zone;
  }

  // nullptr: there is nothing. Valid until the next call.
  const Series* get(std::int64_t now_s);

 private:
  // Changes with every file that is replaced.
  [[nodiscard]] std::int64_t stamp() const;

  MarketStore store_;
  Quantity quantity_;
  std::string area_;
  std::string provider_;
  std::optional<WeekRules> tariff_;
  TimeZone zone_ = TimeZone::utc();
  std::optional<std::int64_t> stamp_;
  std::optional<Series> series_;
};

}  // namespace powertrace
