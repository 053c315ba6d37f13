// SPDX-License-Identifier: Apache-2.0
#include "market/providers.hpp"

#include <algorithm>
#include <array>

#include "base/units.hpp"
#include "market/areas.hpp"
#include "market/json_fields.hpp"

namespace powertrace {
namespace {

constexpr std::array kProviders{
    Provider{"energy-charts", Quantity::kPrice, Credential::kNone, "https://api.energy-charts.info",
             "day-ahead prices of Europe, no key (CC BY 4.0)",
             "AT BE BG CH CZ DE-LU DE-AT-LU DK1 DK2 EE ES FI FR GR HR HU IT-Calabria "
             "IT-Centre-North IT-Centre-South IT-North IT-Sardinia IT-Sicily IT-South LT LV ME NL "
             "NO1 NO2 NO2NSL NO3 NO4 NO5 PL PT RO RS SE1 SE2 SE3 SE4 SI SK"},
    Provider{"entsoe", Quantity::kPrice, Credential::kToken, "https://web-api.tp.entsoe.eu",
             "official day-ahead prices of Europe, free token", ""},
    Provider{"awattar", Quantity::kPrice, Credential::kNone, "https://api.awattar.",
             "hourly prices, no key", "AT DE"},
    Provider{"nord-pool", Quantity::kPrice, Credential::kNone,
             "https://dataportal-api.nordpoolgroup.com", "day-ahead prices; unofficial, may stop",
             "AT BE BG DK1 DK2 EE FI FR GER LT LV NL NO1 NO2 NO3 NO4 NO5 PL SE1 SE2 SE3 SE4 TEL"},
    Provider{"energidataservice", Quantity::kPrice, Credential::kNone,
             "https://api.energidataservice.dk", "day-ahead prices of Denmark, no key",
             "DK1 DK2 DE NO2 SE3 SE4"},
    Provider{"uk-carbon", Quantity::kCarbon, Credential::kNone,
             "https://api.carbonintensity.org.uk", "carbon of Great Britain, no key", "GB"},
    Provider{"energidataservice-co2", Quantity::kCarbon, Credential::kNone,
             "https://api.energidataservice.dk", "carbon of Denmark, no key", "DK1 DK2"},
    Provider{"electricity-maps", Quantity::kCarbon, Credential::kToken,
             "https://api.electricitymap.org", "carbon of most countries, token", ""},
    Provider{"watttime", Quantity::kCarbon, Credential::kLogin, "https://api.watttime.org",
             "marginal carbon, login", ""},
};

bool listed(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const std::size_t blank = words.find(' ');
    if (words.substr(0, blank) == word) {
      return true;
    }
    words.remove_prefix(blank == std::string_view::npos ? words.size() : blank + 1);
  }
  return false;
}

std::string base_of(const MarketQuery& query) {
  if (!query.base_url.empty()) {
    return query.base_url;
  }
  if (query.provider.name == "awattar") {
    return std::string(query.provider.base_url) + (query.area == "AT" ? "at" : "de");
  }
  return std::string(query.provider.base_url);
}

Date local_date(const MarketQuery& query, std::int64_t time_s) {
  return local_time(query.zone, time_s).date;
}

// 2026-01-31T23:00Z
std::string minute_text(std::int64_t time_s) {
  return format_time(time_s).substr(0, 16);
}

// 202601312300
std::string compact(std::int64_t time_s) {
  std::string digits;
  for (const char c : minute_text(time_s)) {
    if (c >= '0' && c <= '9') {
      digits += c;
    }
  }
  return digits;
}

bool is_eic(std::string_view area) {
  return area.size() == 16 && area.starts_with("10Y");
}

Result<std::string> entsoe_path(const MarketQuery& query) {
  std::string eic = query.area;
  if (!is_eic(eic)) {
    PT_ASSIGN(const Area area, require_area(query.area));
    if (area.eic.empty()) {
      return fail(ErrorCode::kUsage, "ENTSO-E has no bidding zone \"{}\"; Germany is DE-LU",
                  query.area);
    }
    eic = area.eic;
  }
  return fmt::format(
      "/api?securityToken={}&documentType=A44&in_Domain={}&out_Domain={}&periodStart={}&"
      "periodEnd={}&contract_MarketAgreement.type=A01",
      url_encode(query.token), eic, eic, compact(query.from_s), compact(query.to_s));
}

std::string energi_path(const MarketQuery& query, const char* dataset) {
  return fmt::format("/dataset/{}?filter={}&start={}&end={}&timezone=utc&limit=0", dataset,
                     url_encode(fmt::format("{{\"PriceArea\":[\"{}\"]}}", query.area)),
                     minute_text(query.from_s), minute_text(query.to_s));
}

Result<std::vector<std::string>> paths_of(const MarketQuery& query) {
  const std::string area = url_encode(query.area);
  const std::string_view name = query.provider.name;
  const Date first = local_date(query, query.from_s);
  const Date last = local_date(query, query.to_s - 1);
  if (name == "energy-charts") {
    return std::vector{
        fmt::format("/price?bzn={}&start={}&end={}", area, format_date(first), format_date(last))};
  }
  if (name == "entsoe") {
    PT_ASSIGN(const std::string path, entsoe_path(query));
    return std::vector{path};
  }
  if (name == "awattar") {
    return std::vector{
        fmt::format("/v1/marketdata?start={}&end={}", query.from_s * 1000, query.to_s * 1000)};
  }
  if (name == "nord-pool") {
    std::vector<std::string> paths;
    for (Date date = first; date <= last; date = add_days(date, 1)) {
      paths.push_back(
          fmt::format("/api/DayAheadPrices?date={}&market=DayAhead&deliveryArea={}&currency={}",
                      format_date(date), area, url_encode(query.currency)));
    }
    return paths;
  }
  if (name == "uk-carbon") {
    return std::vector{
        fmt::format("/intensity/{}Z/{}Z", minute_text(query.from_s), minute_text(query.to_s))};
  }
  if (name == "electricity-maps") {
    return std::vector{"/v3/carbon-intensity/history?zone=" + area,
                       "/v3/carbon-intensity/forecast?zone=" + area};
  }
  if (name == "watttime") {
    return std::vector{fmt::format("/v3/forecast?region={}&signal_type=co2_moer", area)};
  }
  return std::vector{
      energi_path(query, name == "energidataservice" ? "DayAheadPrices" : "CO2EmisProg")};
}

}  // namespace

std::span<const Provider> providers() {
  return kProviders;
}

Result<Provider> require_provider(std::string_view name) {
  std::string names;
  for (const Provider& provider : kProviders) {
    if (provider.name == name) {
      return provider;
    }
    names += (names.empty() ? "" : ", ") + std::string(provider.name);
  }
  return fail(ErrorCode::kUsage, "the provider \"{}\" is unknown; known are {}", name.substr(0, 40),
              names);
}

Status check_area(const Provider& provider, const std::string& area) {
  if (!provider.areas.empty() && !listed(provider.areas, area)) {
    return fail(ErrorCode::kUsage, "{} does not know the area \"{}\"; it knows {}", provider.name,
                area.substr(0, 40), provider.areas);
  }
  if (provider.name == "entsoe" && !is_eic(area)) {
    PT_TRY(require_area(area));
  }
  return {};
}

Status check_query(const MarketQuery& query) {
  const Provider& provider = query.provider;
  if (query.area.empty()) {
    return fail(ErrorCode::kUsage, "{} needs an area, as in --area FR", provider.name);
  }
  PT_TRY(check_area(provider, query.area));
  if (query.from_s >= query.to_s || query.to_s - query.from_s > 370 * kSecondsPerDay) {
    return fail(ErrorCode::kUsage, "the time asked for must be between an hour and a year long");
  }
  if (provider.credential == Credential::kToken && query.token.empty()) {
    return fail(ErrorCode::kUsage, "{} needs a token: give a file with --token-file",
                provider.name);
  }
  if (provider.credential == Credential::kLogin && query.user.empty()) {
    return fail(ErrorCode::kUsage,
                "{} needs a login: give a file with user:password with "
                "--login-file",
                provider.name);
  }
  return {};
}

Result<std::vector<HttpRequest>> market_requests(const MarketQuery& query) {
  PT_TRY(check_query(query));
  PT_ASSIGN(const std::vector<std::string> paths, paths_of(query));
  std::vector<HttpRequest> requests;
  for (const std::string& path : paths) {
    HttpRequest request;
    request.url = base_of(query) + path;
    request.max_response_bytes = kMaxMarketBytes;
    if (query.provider.name == "electricity-maps") {
      request.headers.push_back({"auth-token", query.token});
    } else if (query.provider.credential == Credential::kLogin) {
      request.bearer_token = query.token;
    }
    requests.push_back(std::move(request));
  }
  return requests;
}

HttpRequest login_request(const MarketQuery& query) {
  HttpRequest request;
  request.url = base_of(query) + "/login";
  request.user = query.user;
  request.password = query.password;
  return request;
}

Result<std::string> parse_login(std::string_view text) {
  constexpr const char* kSource = "watttime";
  PT_ASSIGN(const Json json, parse_json(kSource, text));
  return string_field(kSource, json, "token");
}

Result<Series> parse_answer(std::string_view provider,
                            std::string_view text,
                            const ParseContext& context) {
  using Parser = Result<Series> (*)(std::string_view, const ParseContext&);
  constexpr std::array<std::pair<std::string_view, Parser>, 9> kParsers{
      {{"energy-charts", parse_energy_charts},
       {"entsoe", parse_entsoe},
       {"awattar", parse_awattar},
       {"nord-pool", parse_nord_pool},
       {"energidataservice", parse_energidataservice},
       {"uk-carbon", parse_uk_carbon},
       {"energidataservice-co2", parse_energidataservice},
       {"electricity-maps", parse_electricity_maps},
       {"watttime", parse_watttime}}};
  for (const auto& [name, parser] : kParsers) {
    if (name == provider) {
      return parser(text, context);
    }
  }
  return fail(ErrorCode::kUsage, "the provider \"{}\" is unknown", provider);
}

}  // namespace powertrace
