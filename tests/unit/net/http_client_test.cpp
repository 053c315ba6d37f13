// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.hpp"

#include <atomic>
#include <cstdlib>

#include <doctest/doctest.h>

#include "support/http_stub.hpp"
#include "support/temp_dir.hpp"
#include "support/text.hpp"

using namespace powertrace;
using powertrace::test::http_answer;
using powertrace::test::HttpStub;
using powertrace::test::TempDir;

namespace {

using powertrace::test::contains;

constexpr std::uint64_t kMs = 1'000'000;

HttpRequest get(const std::string& url) {
  HttpRequest request;
  request.url = url;
  request.timeout_ns = 2000 * kMs;
  return request;
}

HttpFailure failure_of(const HttpRequest& request) {
  const auto response = http_send(request);
  REQUIRE(!response);
  return http_failure(response.error());
}

}  // namespace

TEST_CASE("An answer has its status, headers in any case, and body") {
  const HttpStub stub([](const std::string&) {
    return http_answer(200, "hello", "ETag: \"abc\"\r\nX-Empty:\r\nX-Blank:   \t\r\n");
  });
  const auto response = http_send(get(stub.url("/a?b=c")));
  REQUIRE(response);
  CHECK(response->status == 200);
  CHECK(response->ok());
  CHECK(response->body == "hello");
  CHECK(response->header("etag") == "\"abc\"");
  CHECK(response->header("X-EMPTY").empty());
  CHECK(response->header("X-blank").empty());
  CHECK(response->header("absent").empty());
  CHECK(stub.requests().at(0).starts_with("GET /a?b=c HTTP/1.1\r\n"));
}

TEST_CASE("Every status is an answer, with its body") {
  for (const int status : {200, 204, 304, 401, 404, 429, 500}) {
    const std::string body = status == 204 || status == 304 ? "" : "why";
    const HttpStub stub(
        [&](const std::string&) { return http_answer(status, body, "Retry-After: 7\r\n"); });
    const auto response = http_send(get(stub.url()));
    REQUIRE(response);
    CHECK(response->status == status);
    CHECK(response->ok() == (status < 300));
    CHECK(response->body == body);
    CHECK(response->header("retry-after") == "7");
  }
}

TEST_CASE("POST and PATCH send their body, headers and credentials") {
  const HttpStub stub([](const std::string&) { return http_answer(200, ""); });
  HttpRequest request = get(stub.url("/x"));
  request.method = HttpMethod::kPost;
  request.body = std::string("a\0b", 3);
  request.headers = {{"Content-Type", "application/json"}, {"X-Empty", ""}};
  request.bearer_token = "t0ken";
  REQUIRE(http_send(request));
  request.method = HttpMethod::kPatch;
  request.bearer_token.clear();
  request.user = "me";
  request.password = "pass";
  REQUIRE(http_send(request));

  const auto requests = stub.requests();
  CHECK(requests.at(0).starts_with("POST /x HTTP/1.1\r\n"));
  CHECK(contains(requests[0], "Content-Type: application/json\r\n"));
  CHECK(contains(requests[0], "X-Empty:\r\n"));
  CHECK(contains(requests[0], "Authorization: Bearer t0ken\r\n"));
  CHECK(requests[0].ends_with(std::string("\r\n\r\na\0b", 7)));
  CHECK(requests.at(1).starts_with("PATCH /x HTTP/1.1\r\n"));
  CHECK(contains(requests[1], "Authorization: Basic bWU6cGFzcw==\r\n"));
}

TEST_CASE("A bearer token file is read for each request and must hold one token") {
  const HttpStub stub([](const std::string&) { return http_answer(200, ""); });
  const TempDir dir;
  HttpRequest request = get(stub.url());
  request.bearer_token_file = dir.path("token");
  auto response = http_send(request);
  REQUIRE(!response);
  CHECK(contains(response.error().message, dir.path("token")));

  dir.write("token", "one\n");
  REQUIRE(http_send(request));
  dir.write("token", "two");
  REQUIRE(http_send(request));
  CHECK(contains(stub.requests().at(0), "Bearer one\r\n"));
  CHECK(contains(stub.requests().at(1), "Bearer two\r\n"));

  for (const std::string bad : {"", "\n", "secret\r\nX-Injected: 1"}) {
    dir.write("token", bad);
    response = http_send(request);
    REQUIRE(!response);
    CHECK(response.error().code == ErrorCode::kMalformed);
    CHECK(!contains(response.error().message, "secret"));
  }
  CHECK(stub.requests().size() == 2);
}

TEST_CASE("Headers and URLs cannot smuggle lines") {
  HttpRequest request = get("http://127.0.0.1:1/");
  request.headers = {{"X", "secret\r\nY: 1"}};
  auto response = http_send(request);
  REQUIRE(!response);
  CHECK(response.error().code == ErrorCode::kUsage);
  CHECK(!contains(response.error().message, "secret"));
  response = http_send(get("http://127.0.0.1:1/ HTTP/1.1\r\nX: 1"));
  REQUIRE(!response);
  CHECK(response.error().code == ErrorCode::kUsage);
}

TEST_CASE("Only http and https") {
  for (const char* url :
       {"file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "", "x"}) {
    const auto response = http_send(get(url));
    REQUIRE(!response);
    CHECK((response.error().code == ErrorCode::kUsage || url == std::string("x")));
  }
}

TEST_CASE("Failures are told apart, and none shows the query or the password") {
  const HttpStub truncated(
      [](const std::string&) { return "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"; });
  CHECK(failure_of(get(truncated.url())) == HttpFailure::kTruncated);
  const HttpStub silent([](const std::string&) { return ""; });
  CHECK(failure_of(get(silent.url())) == HttpFailure::kTruncated);
  const HttpStub cut([](const std::string&) {
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel";
  });
  CHECK(failure_of(get(cut.url())) == HttpFailure::kTruncated);

  const HttpStub slow([](const std::string&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(600));
    return http_answer(200, "late");
  });
  HttpRequest impatient = get(slow.url());
  impatient.timeout_ns = 150 * kMs;
  CHECK(failure_of(impatient) == HttpFailure::kTimeout);

  const HttpStub big([](const std::string&) { return http_answer(200, std::string(5000, 'x')); });
  HttpRequest bounded = get(big.url());
  bounded.max_response_bytes = 4999;
  CHECK(failure_of(bounded) == HttpFailure::kTooLarge);
  bounded.max_response_bytes = 5000;
  CHECK(http_send(bounded)->body.size() == 5000);

  const HttpStub headers([](const std::string&) {
    std::string many;
    for (int i = 0; i < 3000; ++i) {
      many += fmt::format("X-{}: {}\r\n", i, std::string(100, 'h'));
    }
    return http_answer(200, "", many);
  });
  CHECK(failure_of(get(headers.url())) == HttpFailure::kTooLarge);

  const HttpStub plain([](const std::string&) { return http_answer(200, ""); });
  CHECK(failure_of(get("https" + plain.url().substr(4))) == HttpFailure::kTls);
  CHECK(failure_of(get("http://no-such-host.invalid/")) == HttpFailure::kDns);

  const auto refused = http_send(get("http://u:passw0rd@127.0.0.1:1/p?securityToken=s3cret"));
  REQUIRE(!refused);
  CHECK(http_failure(refused.error()) == HttpFailure::kRefused);
  CHECK(contains(refused.error().message, "http://127.0.0.1:1/p?..."));
  CHECK(!contains(refused.error().message, "s3cret"));
  CHECK(!contains(refused.error().message, "passw0rd"));
}

TEST_CASE("Redirects are followed within bounds and never take credentials elsewhere") {
  const HttpStub other([](const std::string&) { return http_answer(200, "there"); });
  int hops = 0;
  const HttpStub stub([&](const std::string& request) {
    if (request.starts_with("GET /away ")) {
      return http_answer(302, "", "Location: " + other.url("/x") + "\r\n");
    }
    if (request.starts_with("GET /file ")) {
      return http_answer(302, "", "Location: file:///etc/passwd\r\n");
    }
    if (request.starts_with("GET /end ")) {
      return http_answer(200, "here");
    }
    return http_answer(302, "", ++hops == 2 ? "Location: /end\r\n" : "Location: /hop\r\n");
  });
  HttpRequest request = get(stub.url("/hop"));
  request.bearer_token = "t0ken";
  request.headers = {{"auth-token", "s3cret"}};
  CHECK(http_send(request)->body == "here");
  CHECK(contains(stub.requests().back(), "auth-token: s3cret\r\n"));
  request.max_redirects = 1;
  hops = 5;
  CHECK(failure_of(request) == HttpFailure::kRedirects);

  request.url = stub.url("/away");
  CHECK(http_send(request)->body == "there");
  CHECK(!contains(other.requests().at(0), "t0ken"));
  CHECK(!contains(other.requests().at(0), "s3cret"));

  request.url = stub.url("/file");
  CHECK(!http_send(request));
  request.url = stub.url("/hop");
  request.method = HttpMethod::kPost;
  CHECK(http_send(request)->status == 302);
}

TEST_CASE("A streamed body has no size limit, can be stopped, and holds answers only") {
  const std::string long_body(300'000, 's');
  const HttpStub stub([&](const std::string& request) {
    return http_answer(request.starts_with("GET /gone ") ? 410 : 200, long_body);
  });
  HttpRequest request = get(stub.url());
  request.max_response_bytes = 10;
  std::size_t got = 0;
  request.on_body = [&](std::string_view data) {
    got += data.size();
    return true;
  };
  auto response = http_send(request);
  REQUIRE(response);
  CHECK(got == long_body.size());
  CHECK(response->body.empty());

  got = 0;
  request.on_body = [&](std::string_view data) {
    got += data.size();
    return false;
  };
  response = http_send(request);
  REQUIRE(response);
  CHECK(response->status == 200);
  CHECK(got < long_body.size());

  got = 0;
  request.url = stub.url("/gone");
  request.max_response_bytes = long_body.size();
  CHECK(http_send(request)->body == long_body);
  CHECK(got == 0);
}

TEST_CASE("A request can be cancelled while it waits") {
  std::atomic<bool> release = false;
  const HttpStub stub([&](const std::string&) {
    while (!release) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return http_answer(200, "");
  });
  std::stop_source source;
  HttpRequest request = get(stub.url());
  request.timeout_ns = 0;
  request.stop = source.get_token();
  const std::jthread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    source.request_stop();
  });
  CHECK(failure_of(request) == HttpFailure::kCancelled);
  release = true;
}

TEST_CASE("A proxy of the environment is used only when asked") {
  const HttpStub stub([](const std::string&) { return http_answer(200, "direct"); });
  const HttpStub proxy([](const std::string&) { return http_answer(200, "proxy"); });
  ::setenv("http_proxy", proxy.url("").c_str(), 1);
  ::setenv("no_proxy", "", 1);
  HttpRequest request = get(stub.url());
  CHECK(http_send(request)->body == "direct");
  request.proxy_from_environment = true;
  CHECK(http_send(request)->body == "proxy");
  ::unsetenv("http_proxy");
  ::unsetenv("no_proxy");
}

TEST_CASE("URLs in messages and parts of URLs") {
  CHECK(redact_url("https://u:p@h:1/a/b?x=1#f") == "https://h:1/a/b?...");
  CHECK(redact_url("https://h/a@b") == "https://h/a@b");
  CHECK(redact_url("http://h") == "http://h");
  CHECK(redact_url("u:p@h/x") == "h/x");
  CHECK(redact_url("") == "");
  CHECK(url_encode("a b/{\"é\"}~") == "a%20b%2F%7B%22%C3%A9%22%7D~");
}
