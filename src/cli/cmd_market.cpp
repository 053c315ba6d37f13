// SPDX-License-Identifier: Apache-2.0
#include "cli/cmd_market.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <memory>

#include "base/clock.hpp"
#include "base/event_loop.hpp"
#include "base/log.hpp"
#include "cli/exit_code.hpp"
#include "cli/market/chart.hpp"
#include "cli/output.hpp"
#include "market/areas.hpp"
#include "market/feed.hpp"
#include "market/fetch.hpp"
#include "market/store.hpp"

namespace powertrace {
namespace {

constexpr std::size_t kChartWidth = 100;

std::int64_t wall_s() {
  return static_cast<std::int64_t>(realtime_ns() / 1'000'000'000U);
}

// Prices are read per MWh.
struct Shown {
  double scale = 1;
  std::string unit;
};
Shown shown_unit(const SeriesInfo& info) {
  if (info.quantity == Quantity::kPrice) {
    return {1000, info.currency + "/MWh"};
  }
  return {1, unit_of(info)};
}

std::string describe(const SeriesInfo& info, const Shown& unit) {
  std::string text = fmt::format("{} of {} in {}, from {}", quantity_name(info.quantity), info.area,
                                 unit.unit, info.source);
  if (info.quantity == Quantity::kCarbon) {
    text += fmt::format(", {} {}", info.basis == CarbonBasis::kMarginal ? "marginal" : "average",
                        info.scope == CarbonScope::kLifecycle ? "lifecycle" : "direct");
  }
  text += info.official ? "" : ", unofficial";
  text += info.preliminary ? ", preliminary" : "";
  text += fmt::format(", fetched {}", format_time(info.fetched_at_s));
  return text + (info.licence.empty() ? "" : fmt::format(" ({})", info.licence));
}

bool utf8_terminal() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') {
      const std::string text = value;
      return text.find("UTF-8") != std::string::npos || text.find("utf8") != std::string::npos;
    }
  }
  return false;
}

// Asks the providers in order until one has this day; prints what came.
Result<bool> fetch_day(const MarketFetchOptions& options,
                       const Date& date,
                       int days,
                       bool required) {
  const MarketStore store(options.market_dir);
  FetchOptions fetch;
  fetch.ca_file = options.ca_file;
  std::string why;
  for (MarketQuery query : options.queries) {
    query.from_s = day_start(query.zone, date);
    query.to_s = day_start(query.zone, add_days(date, days));
    const auto result = fetch_market(query, store, wall_s(), fetch);
    if (!result) {
      // A mistake of the user's is not for the next provider to hide.
      if (result.error().code == ErrorCode::kUsage || options.queries.size() == 1) {
        return tl::make_unexpected(result.error());
      }
      log_warn("{}", result.error().message);
      why += (why.empty() ? "" : "; ") + result.error().message;
      continue;
    }
    if (result->outcome == FetchOutcome::kNotPublished) {
      why += (why.empty() ? "" : "; ") + result->note;
      continue;
    }
    const std::string got =
        result->outcome == FetchOutcome::kUnchanged
            ? "unchanged"
            : fmt::format("{} slots until {}", result->series.slots.size(),
                          format_local(query.zone, result->series.slots.back().end_s));
    PT_TRY(write_stdout(fmt::format("{} {} of {}: {}\n", query.provider.name,
                                    quantity_name(query.provider.quantity), query.area, got)));
    return true;
  }
  if (required) {
    return fail(ErrorCode::kNotFound,
                "nothing for {}: {}. Tomorrow's prices are published around 12:45 Central European "
                "Time",
                format_date(date), why);
  }
  log_info("tomorrow is not known yet: {}", why);
  return false;
}

Result<int> follow(const MarketFetchOptions& options) {
  PT_ASSIGN(EventLoop loop, EventLoop::create());
  int code = kExitOk;
  // Before the thread, so that it inherits the mask.
  PT_TRY(loop.add_signals({SIGINT, SIGTERM, SIGHUP}, [&](int signal) {
    code = signal == SIGINT ? kExitInterrupted : kExitOk;
    loop.stop();
  }));
  FetchOptions fetch;
  fetch.ca_file = options.ca_file;
  const MarketFeed feed(options.queries, MarketStore(options.market_dir), fetch);
  PT_TRY(loop.run());
  return code;
}

std::string series_csv(const SeriesInfo& info, std::span<const Slot> slots) {
  const Shown unit = shown_unit(info);
  std::string text = fmt::format("start,end,{},unit\n", quantity_name(info.quantity));
  for (const Slot& slot : slots) {
    text += fmt::format("{},{},{:.10g},{}\n", format_time(slot.start_s), format_time(slot.end_s),
                        slot.value * unit.scale, unit.unit);
  }
  return text;
}

Result<std::string> show_series(const Series& series, const MarketShowOptions& options) {
  TimeZone zone = options.zone;
  const Area* area = find_area(series.info.area);
  if (!options.zone_given && area != nullptr) {
    PT_ASSIGN(zone, TimeZone::find(std::string(area->zone)));
  }
  const Date date = options.date.value_or(local_time(zone, wall_s()).date);
  const auto slots =
      series.within(day_start(zone, date), day_start(zone, add_days(date, options.days)));
  if (slots.empty()) {
    return std::string();
  }
  const Shown unit = shown_unit(series.info);
  switch (options.format) {
    case MarketShowFormat::kCsv:
      return series_csv(series.info, slots);
    case MarketShowFormat::kJson: {
      Series part{series.info, {slots.begin(), slots.end()}};
      return series_to_json(part);
    }
    case MarketShowFormat::kTable:
      break;
  }
  const auto [least, most] = std::minmax_element(
      slots.begin(), slots.end(), [](const Slot& a, const Slot& b) { return a.value < b.value; });
  const double mean = series.mean(slots.front().start_s, slots.back().end_s).value_or(0);
  return fmt::format(
      "{}\n{}; {} slots, least {:.2f} at {}, most {:.2f} at {}, mean {:.2f}\n\n{}\n{}",
      describe(series.info, unit), zone.name(), slots.size(), least->value * unit.scale,
      format_local(zone, least->start_s), most->value * unit.scale,
      format_local(zone, most->start_s), mean * unit.scale, series_table(slots, zone, unit.scale),
      series_chart(slots, unit.scale, kChartWidth, utf8_terminal()));
}

}  // namespace

Result<int> run_market_fetch(const MarketFetchOptions& options) {
  if (options.follow) {
    return follow(options);
  }
  if (options.date) {
    PT_TRY(fetch_day(options, *options.date, options.days, true));
    return kExitOk;
  }
  const std::int64_t now_s = wall_s();
  const Date today = local_time(options.queries.front().zone, now_s).date;
  PT_TRY(fetch_day(options, today, 1, true));
  // Asked for without a day, tomorrow is a bonus; a service that fails for it has just worked.
  const auto tomorrow = fetch_day(options, add_days(today, 1), 1, false);
  if (!tomorrow) {
    log_warn("{}", tomorrow.error().message);
  }
  return kExitOk;
}

Result<int> run_market_show(const MarketShowOptions& options) {
  std::vector<Series> all;
  if (options.tariff) {
    const Date date = options.date.value_or(local_time(options.zone, wall_s()).date);
    PT_ASSIGN(Series tariff,
              tariff_series(*options.tariff, options.zone, day_start(options.zone, date),
                            day_start(options.zone, add_days(date, options.days))));
    all.push_back(std::move(tariff));
  } else {
    all = MarketStore(options.market_dir).load_all();
  }
  std::string text;
  std::string known;
  for (const Series& series : all) {
    known += fmt::format("{}{} of {} from {} until {}", known.empty() ? "" : ", ",
                         quantity_name(series.info.quantity), series.info.area, series.info.source,
                         series.slots.empty() ? "?" : format_time(series.slots.back().end_s));
    const bool wanted = (!options.quantity || series.info.quantity == *options.quantity) &&
                        (options.area.empty() || series.info.area == options.area) &&
                        (options.provider.empty() || series.info.source == options.provider);
    if (!wanted) {
      continue;
    }
    PT_ASSIGN(const std::string part, show_series(series, options));
    text += (text.empty() || options.format != MarketShowFormat::kTable ? "" : "\n") + part;
  }
  if (text.empty()) {
    return fail(ErrorCode::kNotFound,
                "there is nothing for this day in {}; it is not fetched, or not published yet. "
                "There is: {}. Get more with `powertrace market fetch`",
                options.market_dir, known.empty() ? "nothing" : known);
  }
  PT_TRY(write_stdout(text));
  return kExitOk;
}

}  // namespace powertrace
