// SPDX-License-Identifier: Apache-2.0
//
// The services that can be asked: what each knows, how it is asked, who reads its answer.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/wall_time.hpp"
#include "market/parsers.hpp"
#include "market/series.hpp"
#include "net/http_client.hpp"

namespace powertrace {

enum class Credential : std::uint8_t { kNone, kToken, kLogin };

struct Provider {
  std::string_view name;
  Quantity quantity = Quantity::kPrice;
  Credential credential = Credential::kNone;
  std::string_view base_url;
  std::string_view what;  // one line for people
  // The services' own area names, blank separated; empty: any (or those of areas()).
  std::string_view areas;
};

std::span<const Provider> providers();
// kUsage, with the names there are.
Result<Provider> require_provider(std::string_view name);

struct MarketQuery {
  Provider provider;
  std::string area;
  std::int64_t from_s = 0;
  std::int64_t to_s = 0;
  TimeZone zone = TimeZone::utc();  // of the area's days
  std::string currency = "EUR";     // where the service offers several
  std::string base_url;             // empty: the provider's own
  std::string token;                // or what a login gave
  std::string user;
  std::string password;
};

// kUsage: the provider does not know the area.
Status check_area(const Provider& provider, const std::string& area);

// kUsage: the provider does not know the area, or needs a credential that is missing.
Status check_query(const MarketQuery& query);
// One or several requests, in order; their answers are parsed one by one and belong together.
Result<std::vector<HttpRequest>> market_requests(const MarketQuery& query);
// To get the token of a provider with a login.
HttpRequest login_request(const MarketQuery& query);
Result<std::string> parse_login(std::string_view text);

// Only the parser; an answer with a status of its own is dealt with before.
Result<Series> parse_answer(std::string_view provider,
                            std::string_view text,
                            const ParseContext& context);

}  // namespace powertrace
