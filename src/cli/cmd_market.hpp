// SPDX-License-Identifier: Apache-2.0
//
// `powertrace market`: get prices and carbon, look at them, and try policies on the past.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/wall_time.hpp"
#include "capping/controller.hpp"
#include "market/local_time.hpp"
#include "market/providers.hpp"
#include "market/week_rules.hpp"

namespace powertrace {

struct MarketFetchOptions {
  std::vector<MarketQuery> queries;  // in order of preference; times are filled in here
  std::optional<Date> date;          // default: today, and tomorrow once it is published
  int days = 1;
  std::string market_dir;
  std::string ca_file;
  bool follow = false;
  bool json = false;
};

struct MarketImportOptions {
  std::vector<std::string> files;
  std::string format;  // "auto", "period-csv", "time-csv", "epex-html" or a provider's name
  std::string area;
  std::optional<Date> date;
  TimeZone zone = TimeZone::utc();
  std::string market_dir;
  bool json = false;
};

enum class MarketShowFormat : std::uint8_t { kTable, kJson, kCsv };

struct MarketShowOptions {
  std::optional<Quantity> quantity;  // nullopt: all
  std::string area;
  std::string provider;
  std::optional<Date> date;  // default: today
  int days = 1;
  TimeZone zone = TimeZone::utc();
  bool zone_given = false;
  std::optional<WeekRules> tariff;  // shown instead of the store
  std::string market_dir;
  MarketShowFormat format = MarketShowFormat::kTable;
};

struct MarketSimulateOptions {
  ControllerConfig config;
  std::string area;
  std::string provider;
  std::optional<WeekRules> tariff;
  std::int64_t from_s = 0;
  std::int64_t to_s = 0;
  std::string market_dir;
  bool json = false;
};

Result<int> run_market_fetch(const MarketFetchOptions& options);
Result<int> run_market_import(const MarketImportOptions& options);
Result<int> run_market_show(const MarketShowOptions& options);
Result<int> run_market_simulate(const MarketSimulateOptions& options);

}  // namespace powertrace
