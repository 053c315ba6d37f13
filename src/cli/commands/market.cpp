// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <string>

#include "base/parse.hpp"
#include "base/units.hpp"
#include "cli/cmd_market.hpp"
#include "cli/commands/command.hpp"
#include "cli/commands/market_values.hpp"
#include "cli/commands/policy_values.hpp"
#include "cli/commands/values.hpp"
#include "market/areas.hpp"
#include "market/secret.hpp"

namespace powertrace {
namespace {

constexpr int kMaxDays = 366;

struct RawMarket {
  RawPolicy policy;  // area, provider, tz and tariff for all; the rest for simulate
  std::string date, days = "1", from, to, quantity, format = "auto", max_watts;
  std::string token_file, login_file, base_url, ca_file, market_dir = kMarketDir;
  std::string currency = "EUR";
  std::vector<std::string> files;
  bool follow = false, json = false, csv = false;
};

void add_options(CLI::App& market, RawMarket& raw) {
  add_policy_options(market, raw.policy);
  market.add_option("--date", raw.date, "a local day, as 2026-03-29")->type_name("DATE");
  market.add_option("--days", raw.days, "so many days from it")->type_name("N");
  market.add_option("--from", raw.from, "simulate: from this day or time")->type_name("TIME");
  market.add_option("--to", raw.to, "simulate: until this day or time")->type_name("TIME");
  market.add_option("--quantity", raw.quantity, "show: price, carbon or volume only");
  market.add_option("--format", raw.format,
                    "import: auto, period-csv, time-csv, epex-html or a provider's name");
  market.add_option("--currency", raw.currency, "fetch: where a provider offers several");
  market.add_option("--token-file", raw.token_file, "file with a provider's token, mode 0600")
      ->type_name("FILE");
  market.add_option("--login-file", raw.login_file, "file with user:password, mode 0600")
      ->type_name("FILE");
  market.add_option("--base-url", raw.base_url, "ask here instead of the provider's own address")
      ->type_name("URL");
  market.add_option("--ca-file", raw.ca_file, "authorities to trust instead of the system's")
      ->type_name("FILE");
  market.add_option("--market-dir", raw.market_dir, "where market data is kept")->type_name("DIR");
  market.add_option("--max-watts", raw.max_watts, "simulate: what the node may draw")
      ->type_name("W");
  market.add_flag("--follow", raw.follow, "fetch: stay and keep the data fresh");
  market.add_flag("--json", raw.json, "print JSON");
  market.add_flag("--csv", raw.csv, "show: print start,end,value,unit");
}

Result<std::optional<Date>> check_date(const RawMarket& raw) {
  if (raw.date.empty()) {
    return std::optional<Date>();
  }
  PT_ASSIGN(const Date date, at_option("--date", parse_date(raw.date)));
  return std::optional(date);
}

Result<int> check_days(const RawMarket& raw) {
  PT_ASSIGN(const std::uint64_t days, check_count("--days", raw.days));
  if (days > kMaxDays) {
    return fail(ErrorCode::kUsage, "--days: at most {}", kMaxDays);
  }
  return static_cast<int>(days);
}

Result<MarketQuery> check_query_of(const RawMarket& raw, const std::string& name) {
  MarketQuery query;
  PT_ASSIGN(query.provider, at_option("--provider", require_provider(name)));
  query.area = raw.policy.area;
  query.currency = raw.currency;
  query.base_url = raw.base_url;
  // The portal's days are those of Central Europe, whatever the area.
  const bool central = query.provider.name == "nord-pool" && raw.policy.tz.empty();
  PT_ASSIGN(query.zone, check_zone(central ? "Europe/Berlin" : raw.policy.tz, raw.policy.area));
  if (query.provider.credential == Credential::kToken && !raw.token_file.empty()) {
    PT_ASSIGN(query.token, at_option("--token-file", read_secret(raw.token_file)));
  }
  if (query.provider.credential == Credential::kLogin && !raw.login_file.empty()) {
    PT_ASSIGN(const Login login, at_option("--login-file", read_login(raw.login_file)));
    query.user = login.user;
    query.password = login.password;
  }
  query.from_s = 0;
  query.to_s = kSecondsPerDay;  // filled in when it is asked
  PT_TRY(check_query(query));
  return query;
}

std::vector<std::string> provider_names(const RawMarket& raw) {
  const std::string all = raw.policy.provider.empty() ? "energy-charts" : raw.policy.provider;
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin <= all.size();) {
    const std::size_t comma = std::min(all.find(',', begin), all.size());
    names.push_back(all.substr(begin, comma - begin));
    begin = comma + 1;
  }
  return names;
}

Result<MarketFetchOptions> check_fetch(const RawMarket& raw) {
  MarketFetchOptions fetch;
  for (const std::string& name : provider_names(raw)) {
    PT_ASSIGN(MarketQuery query, check_query_of(raw, name));
    fetch.queries.push_back(std::move(query));
  }
  PT_ASSIGN(fetch.date, check_date(raw));
  PT_ASSIGN(fetch.days, check_days(raw));
  fetch.market_dir = raw.market_dir;
  fetch.ca_file = raw.ca_file;
  fetch.follow = raw.follow;
  fetch.json = raw.json;
  return fetch;
}

Result<MarketImportOptions> check_import(const RawMarket& raw) {
  MarketImportOptions import;
  import.files = raw.files;
  import.format = raw.format;
  import.area = raw.policy.area;
  if (!import.area.empty() && raw.policy.tz.empty()) {
    // Its days need a zone; a wrong area would otherwise read as UTC without a word.
    PT_TRY(at_option("--area", require_area(import.area)));
  }
  PT_ASSIGN(import.date, check_date(raw));
  PT_ASSIGN(import.zone, check_zone(raw.policy.tz, raw.policy.area));
  import.market_dir = raw.market_dir;
  return import;
}

Result<MarketShowOptions> check_show(const RawMarket& raw) {
  MarketShowOptions show;
  if (!raw.quantity.empty()) {
    PT_ASSIGN(show.quantity, choose<Quantity>("--quantity", raw.quantity,
                                              {{"price", Quantity::kPrice},
                                               {"carbon", Quantity::kCarbon},
                                               {"volume", Quantity::kVolume}}));
  }
  if (raw.json && raw.csv) {
    return fail(ErrorCode::kUsage, "--json and --csv exclude each other");
  }
  show.area = raw.policy.area;
  show.provider = raw.policy.provider;
  PT_ASSIGN(show.date, check_date(raw));
  PT_ASSIGN(show.days, check_days(raw));
  PT_ASSIGN(show.zone, check_zone(raw.policy.tz, raw.policy.area));
  show.zone_given = !raw.policy.tz.empty();
  PT_ASSIGN(show.tariff, check_tariff(raw.policy));
  show.market_dir = raw.market_dir;
  show.format = raw.json  ? MarketShowFormat::kJson
                : raw.csv ? MarketShowFormat::kCsv
                          : MarketShowFormat::kTable;
  return show;
}

Result<MarketSimulateOptions> check_simulate(const RawMarket& raw) {
  MarketSimulateOptions simulate;
  if (raw.from.empty() || raw.to.empty() || raw.max_watts.empty()) {
    return fail(ErrorCode::kUsage,
                "simulate needs --from, --to and --max-watts, as in --from 2026-03-01 --to "
                "2026-03-08 --max-watts 200");
  }
  ControllerConfig& config = simulate.config;
  PT_ASSIGN(config.policy, check_policy(raw.policy));
  PT_ASSIGN(config.original_w, at_option("--max-watts", parse_double(raw.max_watts)));
  PT_ASSIGN(config.range.floor_w,
            at_option("--floor", parse_power_bound(raw.policy.floor, config.original_w)));
  PT_ASSIGN(config.range.ceiling_w,
            at_option("--ceiling", parse_power_bound(raw.policy.ceiling, config.original_w)));
  PT_ASSIGN(config.limiter, check_limiter(raw.policy));
  PT_ASSIGN(config.stale_after_s, check_stale_after(raw.policy));
  PT_ASSIGN(simulate.tariff, check_tariff(raw.policy));
  PT_ASSIGN(simulate.from_s, check_time("--from", raw.from, config.policy.zone));
  PT_ASSIGN(simulate.to_s, check_time("--to", raw.to, config.policy.zone));
  simulate.area = raw.policy.area;
  simulate.provider = raw.policy.provider;
  simulate.market_dir = raw.market_dir;
  simulate.json = raw.json;
  return simulate;
}

}  // namespace

void add_market(CommandLine& line) {
  auto raw = std::make_shared<RawMarket>();
  CLI::App* market = line.app.add_subcommand("market", "Prices and carbon intensities");
  add_options(*market, *raw);
  market->require_subcommand(1);
  // Tokens may be elsewhere than where the file is checked: they are read when they are used.
  line.checks.emplace_back("market", [raw](const GlobalOptions&) -> Status {
    for (const std::string& name : provider_names(*raw)) {
      PT_ASSIGN(const Provider provider, at_option("--provider", require_provider(name)));
      if (!raw->policy.area.empty()) {
        PT_TRY(at_option("--area", check_area(provider, raw->policy.area)));
      }
    }
    PT_TRY(check_zone(raw->policy.tz, raw->policy.area));
    PT_TRY(check_days(*raw));
    PT_TRY(check_date(*raw));
    PT_TRY(check_tariff(raw->policy));
    return {};
  });
  const auto add = [&](const char* name, const char* what, auto check, auto run) {
    CLI::App* command = market->add_subcommand(name, what);
    command->fallthrough();
    command->callback([&line, raw, check, run] {
      line.run = [raw, check, run](const GlobalOptions&) -> Result<int> {
        PT_ASSIGN(const auto options, check(*raw));
        return run(options);
      };
    });
    return command;
  };
  add("fetch", "Ask a provider and keep what it says", check_fetch, run_market_fetch);
  CLI::App* import = add("import", "Read files: day tables, ISO times, saved pages and answers",
                         check_import, run_market_import);
  import->add_option("FILE", raw->files, "files to read")->required();
  add("show", "What is known of a day, as table and chart", check_show, run_market_show);
  add("simulate", "A policy over past data, beside running flat", check_simulate,
      run_market_simulate);
}

}  // namespace powertrace
