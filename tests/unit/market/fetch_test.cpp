// SPDX-License-Identifier: Apache-2.0
//
// Services as a server on loopback plays them: right, slow, broken, rude.
#include "market/fetch.hpp"

#include <atomic>
#include <sys/stat.h>

#include <doctest/doctest.h>

#include "market/secret.hpp"
#include "support/http_stub.hpp"
#include "support/temp_dir.hpp"
#include "support/text.hpp"

using namespace powertrace;
using powertrace::test::http_answer;
using powertrace::test::HttpStub;
using powertrace::test::TempDir;

namespace {

using powertrace::test::contains;

constexpr std::int64_t kNow = 1'767'225'600;  // 2026-01-01T00:00Z
const std::string kPrices =
    R"({"license_info":"CC BY 4.0","unix_seconds":[1767222000,1767222900,1767223800],"price":[90,-10.5,null],"unit":"EUR / MWh"})";

MarketQuery query_of(const std::string& provider,
                     const std::string& area,
                     const std::string& base_url = "http://127.0.0.1:1") {
  MarketQuery query;
  query.provider = *require_provider(provider);
  query.area = area;
  query.base_url = base_url;
  query.zone = *TimeZone::find("Europe/Paris");
  query.from_s = day_start(query.zone, {2026, 1, 1});
  query.to_s = day_start(query.zone, {2026, 1, 2});
  return query;
}

struct Rig {
  TempDir dir;
  MarketStore store{dir.path("market")};
  std::vector<std::uint64_t> pauses;
  FetchOptions options;

  Rig() {
    options.timeout_ns = 300'000'000;
    options.sleep = [this](std::uint64_t ns) { pauses.push_back(ns); };
  }
};

}  // namespace

TEST_CASE("200: the answer is kept, with its ETag; 304: what is there is right") {
  Rig rig;
  const HttpStub stub([](const std::string& request) {
    return contains(request, "If-None-Match: \"v1\"")
               ? http_answer(304, "")
               : http_answer(200, kPrices, "ETag: \"v1\"\r\n");
  });
  const MarketQuery query = query_of("energy-charts", "FR", stub.url(""));
  auto result = fetch_market(query, rig.store, kNow, rig.options);
  REQUIRE(result);
  CHECK(result->outcome == FetchOutcome::kUpdated);
  CHECK(contains(stub.requests()[0], "GET /price?bzn=FR&start=2026-01-01&end=2026-01-01 "));
  const auto stored = rig.store.find(Quantity::kPrice, "FR", "", 1'767'222'000);
  REQUIRE(stored);
  CHECK(stored->slots.size() == 2);
  CHECK(stored->info.fetched_at_s == kNow);
  CHECK(stored->slots[1].value == doctest::Approx(-0.0105));

  result = fetch_market(query, rig.store, kNow + 60, rig.options);
  REQUIRE(result);
  CHECK(result->outcome == FetchOutcome::kUnchanged);
  CHECK(rig.store.find(Quantity::kPrice, "FR", "", kNow)->slots.size() == 2);
}

TEST_CASE("204 and 404: not published; what is there stays") {
  for (const int status : {204, 404}) {
    Rig rig;
    std::atomic<int> answer = 200;
    const HttpStub stub(
        [&](const std::string&) { return http_answer(answer, answer == 200 ? kPrices : ""); });
    const MarketQuery query = query_of("energy-charts", "FR", stub.url(""));
    REQUIRE(fetch_market(query, rig.store, kNow, rig.options));
    answer = status;
    const auto result = fetch_market(query, rig.store, kNow, rig.options);
    REQUIRE(result);
    CHECK(result->outcome == FetchOutcome::kNotPublished);
    CHECK(contains(result->note, "nothing (yet) for FR"));
    CHECK(rig.store.find(Quantity::kPrice, "FR", "", kNow)->slots.size() == 2);
    CHECK(rig.pauses.empty());
  }
}

TEST_CASE("Refusals are not repeated, failures are, with growing distance") {
  const auto run = [](int status, const std::string& headers, Rig& rig) {
    const HttpStub stub([&](const std::string&) { return http_answer(status, "x", headers); });
    const auto result =
        fetch_market(query_of("energy-charts", "FR", stub.url("")), rig.store, kNow, rig.options);
    REQUIRE(!result);
    return std::pair(result.error(), stub.requests().size());
  };
  for (const int status : {401, 403}) {
    Rig rig;
    const auto [error, asked] = run(status, "", rig);
    CHECK(error.code == ErrorCode::kPermission);
    CHECK(asked == 1);
  }
  {
    Rig rig;
    const auto [error, asked] = run(202, "", rig);
    CHECK(contains(error.message, "browser"));
    CHECK(asked == 1);
  }
  {
    Rig rig;
    const auto [error, asked] = run(500, "", rig);
    CHECK(error.code == ErrorCode::kIo);
    CHECK(asked == 3);
    REQUIRE(rig.pauses.size() == 2);
    CHECK(rig.pauses[0] >= 1'000'000'000);
    CHECK(rig.pauses[1] >= 2'000'000'000);
    CHECK(rig.pauses[1] <= 3'000'000'000);
  }
  {
    Rig rig;
    const auto [error, asked] = run(429, "Retry-After: 17\r\n", rig);
    CHECK(error.code == ErrorCode::kBusy);
    CHECK(rig.pauses.at(0) == 17'000'000'000);
    CHECK(asked == 3);
  }
}

TEST_CASE("A failure that passes is forgotten") {
  Rig rig;
  std::atomic<int> calls = 0;
  const HttpStub stub([&](const std::string&) {
    return ++calls == 1 ? std::string("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"unix")
           : calls == 2 ? http_answer(503, "")
                        : http_answer(200, kPrices);
  });
  const auto result =
      fetch_market(query_of("energy-charts", "FR", stub.url("")), rig.store, kNow, rig.options);
  REQUIRE(result);
  CHECK(result->outcome == FetchOutcome::kUpdated);
  CHECK(calls == 3);
}

TEST_CASE("Slow, cut and garbled answers leave the store as it is") {
  Rig rig;
  rig.options.attempts = 1;
  const auto error_of = [&](const std::function<std::string()>& answer) {
    const HttpStub stub([&](const std::string&) { return answer(); });
    const auto result =
        fetch_market(query_of("energy-charts", "FR", stub.url("")), rig.store, kNow, rig.options);
    REQUIRE(!result);
    return result.error();
  };
  CHECK(http_failure(error_of([] {
          std::this_thread::sleep_for(std::chrono::milliseconds(600));
          return http_answer(200, kPrices);
        })) == HttpFailure::kTimeout);
  CHECK(http_failure(error_of([] {
          return "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + kPrices;
        })) == HttpFailure::kTruncated);
  CHECK(error_of([] { return http_answer(200, kPrices.substr(0, 60)); }).code ==
        ErrorCode::kMalformed);
  CHECK(error_of([] { return http_answer(200, "<html>please wait</html>"); }).code ==
        ErrorCode::kMalformed);
  CHECK(http_failure(error_of([] { return http_answer(200, std::string(5 << 20, ' ')); })) ==
        HttpFailure::kTooLarge);
  CHECK(rig.store.load_all().empty());
}

TEST_CASE("Requests are what the services document, and tokens stay out of messages and files") {
  Rig rig;
  rig.options.attempts = 1;
  const HttpStub stub([](const std::string&) { return http_answer(500, ""); });
  MarketQuery query = query_of("entsoe", "FR", stub.url(""));
  query.token = "t0p-s3cret";
  const auto failed = fetch_market(query, rig.store, kNow, rig.options);
  REQUIRE(!failed);
  CHECK(!contains(failed.error().message, "s3cret"));
  CHECK(contains(stub.requests()[0],
                 "GET /api?securityToken=t0p-s3cret&documentType=A44&in_Domain=10YFR-RTE------C&"
                 "out_Domain=10YFR-RTE------C&periodStart=202512312300&periodEnd=202601012300&"
                 "contract_MarketAgreement.type=A01 "));

  const auto url = [&](const std::string& provider, const std::string& area) {
    MarketQuery asked = query_of(provider, area);
    asked.token = asked.user = "x";
    const auto requests = market_requests(asked);
    REQUIRE_MESSAGE(requests, (requests ? "" : requests.error().message));
    return requests->at(0).url.substr(18);
  };
  CHECK(url("awattar", "DE") == "/v1/marketdata?start=1767222000000&end=1767308400000");
  CHECK(url("nord-pool", "NL") ==
        "/api/DayAheadPrices?date=2026-01-01&market=DayAhead&deliveryArea=NL&currency=EUR");
  CHECK(url("uk-carbon", "GB") == "/intensity/2025-12-31T23:00Z/2026-01-01T23:00Z");
  CHECK(url("energidataservice", "DK1") ==
        "/dataset/DayAheadPrices?filter=%7B%22PriceArea%22%3A%5B%22DK1%22%5D%7D&start="
        "2025-12-31T23:00&end=2026-01-01T23:00&timezone=utc&limit=0");
  CHECK(url("electricity-maps", "DE") == "/v3/carbon-intensity/history?zone=DE");
  CHECK(url("watttime", "CAISO_NORTH") == "/v3/forecast?region=CAISO_NORTH&signal_type=co2_moer");
}

TEST_CASE("WattTime: first the login, then the data with its token") {
  Rig rig;
  const HttpStub stub([](const std::string& request) {
    return contains(request, "GET /login ")
               ? http_answer(200, R"({"token":"abc"})")
               : http_answer(
                     200,
                     R"({"data":[{"point_time":"2026-01-01T00:00:00+00:00","value":1000}],)"
                     R"("meta":{"units":"lbs_co2_per_mwh","signal_type":"co2_moer","data_point_period_seconds":300}})");
  });
  MarketQuery query = query_of("watttime", "CAISO_NORTH", stub.url(""));
  query.user = "u";
  query.password = "p";
  const auto result = fetch_market(query, rig.store, kNow, rig.options);
  REQUIRE_MESSAGE(result, (result ? "" : result.error().message));
  CHECK(result->series.info.basis == CarbonBasis::kMarginal);
  CHECK(contains(stub.requests()[0], "Authorization: Basic dTpw\r\n"));
  CHECK(contains(stub.requests()[1], "Authorization: Bearer abc\r\n"));
}

TEST_CASE("Questions that make no sense are refused before anything is sent") {
  const auto refuse = [](const std::string& provider, const std::string& area) {
    const Status status = check_query(query_of(provider, area));
    REQUIRE(!status);
    CHECK(status.error().code == ErrorCode::kUsage);
  };
  refuse("energy-charts", "XX");
  refuse("energy-charts", "");
  refuse("entsoe", "FR");
  refuse("watttime", "CAISO_NORTH");
  refuse("awattar", "FR");
  CHECK(!require_provider("epex"));
  MarketQuery query = query_of("energy-charts", "FR");
  query.to_s = query.from_s;
  CHECK(!check_query(query));
  query = query_of("entsoe", "Atlantis");
  query.token = "x";
  CHECK(contains(check_query(query).error().message, "unknown"));
  query = query_of("entsoe", "DE");
  query.token = "x";
  CHECK(contains(market_requests(query).error().message, "DE-LU"));
}

TEST_CASE("Token files are private and hold one line") {
  const TempDir dir;
  dir.write("token", "abc\n");
  const std::string path = dir.path("token");
  ::chmod(path.c_str(), 0604);
  CHECK(contains(read_secret(path).error().message, "chmod 600"));
  ::chmod(path.c_str(), 0640);
  CHECK(*read_secret(path) == "abc");
  ::chmod(path.c_str(), 0600);
  for (const char* bad : {"", "\n", "s3cret\ns3cret", "s3cret\x01"}) {
    dir.write("token", bad);
    const auto secret = read_secret(path);
    REQUIRE(!secret);
    CHECK(!contains(secret.error().message, "s3cret"));
  }
  dir.write("token", "me:a:b");
  CHECK(read_login(path)->password == "a:b");
  dir.write("token", "nobody");
  CHECK(!read_login(path));
  CHECK(!read_secret(dir.path("absent")));
  CHECK(!read_secret(dir.path("")));
}

TEST_CASE("The store keeps days apart, ages, and survives damage") {
  Rig rig;
  Series series;
  series.info.currency = "EUR";
  series.info.area = "FR/../x";
  series.info.source = "test";
  series.slots = {{0, 900, 0.1}, {900, 1800, 0.2}};
  REQUIRE(rig.store.put(series));
  series.slots = {{900, 1800, 0.3}, {90'000, 90'900, 0.4}};
  REQUIRE(rig.store.put(series));
  auto found = rig.store.find(Quantity::kPrice, "FR/../x", "test", 1000);
  REQUIRE(found);
  REQUIRE(found->slots.size() == 3);
  CHECK(found->at(1000)->value == 0.3);
  CHECK(found->at(50'000) == nullptr);  // yesterday is never today
  CHECK(!rig.store.find(Quantity::kCarbon, "", "", 0));
  CHECK(!rig.store.find(Quantity::kPrice, "DE", "", 0));

  series.slots = {{500LL * 86'400, 500LL * 86'400 + 900, 0.5}};
  REQUIRE(rig.store.put(series));
  CHECK(rig.store.find(Quantity::kPrice, "", "", 0)->slots.size() == 1);

  series.info.source = "unofficial";
  series.info.official = false;
  REQUIRE(rig.store.put(series));
  CHECK(rig.store.find(Quantity::kPrice, "", "", 500LL * 86'400)->info.source == "test");

  const std::string text = series_to_json(series);
  REQUIRE(series_from_json(text));
  CHECK(series_to_json(*series_from_json(text)) == text);
  for (std::size_t length = 0; length + 2 < text.size(); length += 5) {
    CHECK(!series_from_json(text.substr(0, length)));
  }
  rig.dir.write("market/bad.series.json", "{]");
  CHECK(rig.store.load_all().size() == 2);
}

TEST_CASE("When to ask again") {
  const std::int64_t day = 1'767'225'600;  // midnight UTC
  const std::int64_t hour = 3600;
  const auto next = [](std::int64_t known_until, int failures, std::int64_t now) {
    return next_fetch_s({known_until, failures}, now, 0) - now;
  };
  CHECK(next(day + 48 * hour, 0, day + 13 * hour) == hour);           // all known
  CHECK(next(day + 23 * hour, 0, day + 13 * hour) == 600);            // tomorrow is due
  CHECK(next(day + 23 * hour, 0, day + 10 * hour) == 45 * 60 + 300);  // wait for the publication
  CHECK(next(day + 23 * hour, 0, day) == 6 * hour);
  CHECK(next(0, 1, day) == 60);
  CHECK(next(0, 3, day) == 240);
  CHECK(next(0, 50, day) == hour);
  CHECK(next_fetch_s({0, 1}, day, 1) - day == 72);
}
