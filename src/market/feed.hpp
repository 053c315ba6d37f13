// SPDX-License-Identifier: Apache-2.0
//
// Keeps the store fresh from a thread of its own, asking one provider after the other until one has
// data. Whoever reads the store needs not know it.
#pragma once

#include <string>
#include <thread>
#include <vector>

#include "market/fetch.hpp"
#include "market/store.hpp"

namespace powertrace {

// Today and tomorrow of the queries' zones are asked for; their from_s and to_s are ignored.
class MarketFeed {
 public:
  MarketFeed(std::vector<MarketQuery> queries, MarketStore store, FetchOptions options);

 private:
  void run(const std::stop_token& stop);
  // True: some provider answered.
  bool fetch_once(const std::stop_token& stop, FeedState& state);

  std::vector<MarketQuery> queries_;  // in order of preference
  MarketStore store_;
  FetchOptions options_;
  std::jthread thread_;  // last: ends before what it uses
};

}  // namespace powertrace
