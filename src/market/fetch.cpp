// SPDX-License-Identifier: Apache-2.0
#include "market/fetch.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <random>
#include <thread>

#include "base/log.hpp"
#include "base/units.hpp"

namespace powertrace {
namespace {

constexpr std::uint64_t kNsPerS = 1'000'000'000;
constexpr std::uint64_t kMaxBackoffNs = 60 * kNsPerS;

bool passing(const Result<HttpResponse>& response) {
  if (response) {
    return response->status == 429 || response->status >= 500;
  }
  switch (http_failure(response.error())) {
    case HttpFailure::kTimeout:
    case HttpFailure::kRefused:
    case HttpFailure::kDns:
    case HttpFailure::kTruncated:
    case HttpFailure::kOther:
      return true;
    default:
      return false;
  }
}

double jitter() {
  thread_local std::minstd_rand generator(std::random_device{}());
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

std::uint64_t retry_after_ns(const Result<HttpResponse>& response) {
  const std::string_view text = response ? response->header("Retry-After") : std::string_view{};
  std::uint64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  return error == std::errc() && end == text.data() + text.size()
             ? std::min(seconds * kNsPerS, kMaxBackoffNs)
             : 0;
}

void wait(const FetchOptions& options, std::uint64_t ns) {
  if (options.sleep) {
    options.sleep(ns);
    return;
  }
  constexpr std::uint64_t kStepNs = 100'000'000;
  for (std::uint64_t waited = 0; waited < ns && !options.stop.stop_requested(); waited += kStepNs) {
    std::this_thread::sleep_for(std::chrono::nanoseconds(std::min(kStepNs, ns - waited)));
  }
}

Result<HttpResponse> send(HttpRequest request, const FetchOptions& options) {
  request.timeout_ns = options.timeout_ns;
  request.connect_timeout_ns = options.connect_timeout_ns;
  request.tls.ca_file = options.ca_file;
  request.stop = options.stop;
  std::uint64_t backoff_ns = options.first_backoff_ns;
  for (int attempt = 1;; ++attempt) {
    auto response = http_send(request);
    if (!passing(response) || attempt >= options.attempts || options.stop.stop_requested()) {
      return response;
    }
    const auto jittered =
        static_cast<std::uint64_t>(static_cast<double>(backoff_ns) * (1 + 0.5 * jitter()));
    const std::uint64_t pause_ns = std::max(jittered, retry_after_ns(response));
    log_info("{}: {}; trying again in {:.1f} s", redact_url(request.url),
             response ? fmt::format("status {}", response->status) : response.error().message,
             static_cast<double>(pause_ns) / 1e9);
    wait(options, pause_ns);
    backoff_ns = std::min(2 * backoff_ns, kMaxBackoffNs);
  }
}

// What is neither data nor "nothing yet".
Status check_status(const HttpRequest& request, const HttpResponse& response) {
  const std::string where = redact_url(request.url);
  switch (response.status) {
    case 200:
    case 204:
    case 304:
    case 404:
      return {};
    case 202:
      return fail(ErrorCode::kMalformed,
                  "{}: the service checks for a browser (status 202) instead of answering", where);
    case 400:
      return {};  // ENTSO-E's way to say "nothing", in an acknowledgement
    case 401:
    case 403:
      return fail(ErrorCode::kPermission, "{}: the credential is refused (status {})", where,
                  response.status);
    case 429:
      return fail(ErrorCode::kBusy, "{}: asked too often (status 429); try again later", where);
    default:
      return fail(ErrorCode::kIo, "{}: the service answers with status {}", where, response.status);
  }
}

// A part's answer goes into `result`; false: it has nothing.
Result<bool> take_answer(const MarketQuery& query,
                         const HttpRequest& request,
                         const HttpResponse& response,
                         std::int64_t now_s,
                         FetchResult& result) {
  if (response.status == 204 || response.status == 404) {
    result.note = fmt::format("{} has nothing (yet) for {} from {}", query.provider.name,
                              query.area, format_local(query.zone, query.from_s));
    return false;
  }
  auto series = parse_answer(query.provider.name, response.body, {query.area, now_s});
  if (!series && series.error().code == ErrorCode::kNotFound) {
    result.note = series.error().message;
    return false;
  }
  if (!series && response.status == 400) {
    return fail(ErrorCode::kIo, "{}: the service does not accept the request (status 400)",
                redact_url(request.url));
  }
  if (!series) {
    return tl::make_unexpected(series.error());
  }
  if (result.series.empty()) {
    result.series = std::move(*series);
  } else {
    PT_ASSIGN(result.series, merge(result.series, *series));
  }
  return true;
}

Status log_in(MarketQuery& query, const FetchOptions& options) {
  const HttpRequest request = login_request(query);
  PT_ASSIGN(const HttpResponse response, send(request, options));
  PT_TRY(check_status(request, response));
  PT_ASSIGN(query.token, parse_login(response.body));
  return {};
}

}  // namespace

Result<FetchResult> fetch_market(const MarketQuery& asked,
                                 const MarketStore& store,
                                 std::int64_t now_s,
                                 const FetchOptions& options) {
  MarketQuery query = asked;
  PT_TRY(check_query(query));
  if (query.provider.credential == Credential::kLogin) {
    PT_TRY(log_in(query, options));
  }
  PT_ASSIGN(std::vector<HttpRequest> requests, market_requests(query));
  FetchResult result;
  bool unchanged = false;
  for (HttpRequest& request : requests) {
    // The token may be in the query, so the key is a URL with a token of no use.
    MarketQuery anonymous = query;
    anonymous.token = anonymous.token.empty() ? "" : "x";
    PT_ASSIGN(const auto keys, market_requests(anonymous));
    const std::string key = keys[static_cast<std::size_t>(&request - requests.data())].url;
    const auto validator = store.validator(key);
    if (validator && !validator->etag.empty()) {
      request.headers.push_back({"If-None-Match", validator->etag});
    } else if (validator && !validator->last_modified.empty()) {
      request.headers.push_back({"If-Modified-Since", validator->last_modified});
    }
    PT_ASSIGN(const HttpResponse response, send(request, options));
    PT_TRY(check_status(request, response));
    if (response.status == 304) {
      unchanged = true;
      continue;
    }
    PT_ASSIGN(const bool has_data, take_answer(query, request, response, now_s, result));
    const MarketStore::Validator now{std::string(response.header("ETag")),
                                     std::string(response.header("Last-Modified"))};
    if (has_data && (!now.etag.empty() || !now.last_modified.empty())) {
      PT_TRY(store.set_validator(key, now));
    }
  }
  if (!result.series.empty()) {
    PT_TRY(store.put(result.series));
    result.outcome = FetchOutcome::kUpdated;
  } else if (unchanged) {
    result.outcome = FetchOutcome::kUnchanged;
  }
  return result;
}

std::int64_t next_fetch_s(const FeedState& state, std::int64_t now_s, double jitter_share) {
  const auto spread = [jitter_share](std::int64_t base_s) {
    return base_s + static_cast<std::int64_t>(static_cast<double>(base_s) * 0.2 *
                                              std::clamp(jitter_share, 0.0, 1.0));
  };
  if (state.failures > 0) {
    const int doublings = std::min(state.failures - 1, 6);
    return now_s + spread(std::min(kMinuteS << doublings, kHourS));
  }
  // Auctions are published around 12:45 in Central Europe; 11:45 UTC is never before that in
  // winter and one hour late in summer, so the earlier of both is taken.
  const std::int64_t published_s = now_s - now_s % kSecondsPerDay + 10 * kHourS + 45 * kMinuteS;
  const std::int64_t midnight_s = now_s - now_s % kSecondsPerDay + kSecondsPerDay;
  const bool tomorrow_missing = state.known_until_s <= midnight_s;
  if (tomorrow_missing && now_s < published_s) {
    return std::min(published_s + spread(5 * kMinuteS), now_s + spread(6 * kHourS));
  }
  return now_s + spread(tomorrow_missing ? 10 * kMinuteS : kHourS);
}

}  // namespace powertrace
