// SPDX-License-Identifier: Apache-2.0
//
// Texts as market and carbon services send or as files hold them -> Series. Pure: no I/O, no clock;
// each in a file of its own. A text is taken whole or refused with what is wrong in it; kNotFound
// says that the service has nothing (yet) for what was asked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "market/local_time.hpp"
#include "market/series.hpp"

namespace powertrace {

// No answer of a service or file of a day is that large.
constexpr std::size_t kMaxMarketBytes = std::size_t{4} << 20U;

struct ParseContext {
  std::string area;
  std::int64_t fetched_at_s = 0;
};

Result<Series> parse_energy_charts(std::string_view text, const ParseContext& context);
// Day-ahead price documents (A44) of the ENTSO-E transparency platform.
Result<Series> parse_entsoe(std::string_view text, const ParseContext& context);
Result<Series> parse_awattar(std::string_view text, const ParseContext& context);
Result<Series> parse_nord_pool(std::string_view text, const ParseContext& context);

Result<Series> parse_uk_carbon(std::string_view text, const ParseContext& context);
Result<Series> parse_electricity_maps(std::string_view text, const ParseContext& context);
Result<Series> parse_watttime(std::string_view text, const ParseContext& context);
// Prices (DayAheadPrices) and carbon (CO2EmisProg).
Result<Series> parse_energidataservice(std::string_view text, const ParseContext& context);

// "Period,Volume (MWh),Price (EUR sign/MWh)" with one local day: its price and its volume.
Result<std::vector<Series>> parse_period_csv(std::string_view text,
                                             const TimeZone& zone,
                                             const Date& date,
                                             const ParseContext& context);
// "start,end,price,unit" (or carbon, volume) with ISO times.
Result<std::vector<Series>> parse_time_csv(std::string_view text, const ParseContext& context);
// A saved result page of EPEX SPOT: its prices and volumes. Date and area are in its heading.
Result<std::vector<Series>> parse_epex_page(std::string_view text, const ParseContext& context);

}  // namespace powertrace
