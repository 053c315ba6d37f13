// SPDX-License-Identifier: Apache-2.0
#include "market/feed.hpp"

#include <chrono>
#include <random>

#include "base/clock.hpp"
#include "base/log.hpp"

namespace powertrace {
namespace {

std::int64_t wall_s() {
  return static_cast<std::int64_t>(realtime_ns() / 1'000'000'000U);
}

}  // namespace

MarketFeed::MarketFeed(std::vector<MarketQuery> queries, MarketStore store, FetchOptions options)
    : queries_(std::move(queries)), store_(std::move(store)), options_(std::move(options)) {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

bool MarketFeed::fetch_once(const std::stop_token& stop, FeedState& state) {
  const std::int64_t now_s = wall_s();
  FetchOptions options = options_;
  options.stop = stop;
  for (MarketQuery query : queries_) {
    const Date today = local_time(query.zone, now_s).date;
    query.from_s = day_start(query.zone, today);
    query.to_s = day_start(query.zone, add_days(today, 2));
    const auto result = fetch_market(query, store_, now_s, options);
    if (!result) {
      log_warn("{}", result.error().message);
      continue;
    }
    if (result->outcome == FetchOutcome::kNotPublished) {
      log_info("{}", result->note);
      continue;
    }
    if (result->outcome == FetchOutcome::kUpdated) {
      state.known_until_s = result->series.slots.back().end_s;
      log_info("{}: {} for {} until {}", query.provider.name,
               quantity_name(query.provider.quantity), query.area,
               format_time(state.known_until_s));
    }
    return true;
  }
  return false;
}

void MarketFeed::run(const std::stop_token& stop) {
  std::minstd_rand generator(std::random_device{}());
  std::uniform_real_distribution<double> jitter(0, 1);
  FeedState state;
  while (!stop.stop_requested()) {
    state.failures = fetch_once(stop, state) ? 0 : state.failures + 1;
    const std::int64_t next_s = next_fetch_s(state, wall_s(), jitter(generator));
    while (!stop.stop_requested() && wall_s() < next_s) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
  }
}

}  // namespace powertrace
