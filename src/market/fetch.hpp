// SPDX-License-Identifier: Apache-2.0
//
// Asks a provider and keeps the answer in the store. Blocking; one thread at a time per store.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "base/result.hpp"
#include "market/providers.hpp"
#include "market/store.hpp"

namespace powertrace {

struct FetchOptions {
  int attempts = 3;                                // of a request that failed for a passing reason
  std::uint64_t first_backoff_ns = 1'000'000'000;  // doubles, with jitter
  std::uint64_t timeout_ns = 15'000'000'000;
  std::uint64_t connect_timeout_ns = 5'000'000'000;
  std::string ca_file;
  std::function<void(std::uint64_t ns)> sleep;  // nullptr: really
  std::stop_token stop;
};

enum class FetchOutcome : std::uint8_t {
  kUpdated,
  kUnchanged,     // the service says that what we have is right (304)
  kNotPublished,  // it has nothing yet for this time
};

struct FetchResult {
  FetchOutcome outcome = FetchOutcome::kNotPublished;
  Series series;     // what came, if updated
  std::string note;  // why not, for people
};

// Errors: kPermission for a refused credential, kMalformed for an answer that cannot be used, kIo
// for a service that cannot be reached. The store keeps what it has in all of these cases.
Result<FetchResult> fetch_market(const MarketQuery& query,
                                 const MarketStore& store,
                                 std::int64_t now_s,
                                 const FetchOptions& options);

// When to ask next, for those who follow a market for long: after success at most hourly, more
// often from 12:45 CET on until tomorrow is known, and after failures with growing distance.
struct FeedState {
  std::int64_t known_until_s = 0;
  int failures = 0;  // in a row
};
std::int64_t next_fetch_s(const FeedState& state, std::int64_t now_s, double jitter);

}  // namespace powertrace
