// SPDX-License-Identifier: Apache-2.0
#include "serve/router.hpp"

#include <stdexcept>

#include <doctest/doctest.h>

#include "serve/listener.hpp"

using namespace powertrace;

namespace {

Request request(std::string method, std::string_view target) {
  Request made;
  made.method = std::move(method);
  REQUIRE(parse_target(target, made));
  return made;
}

Router router() {
  Router made;
  made.add("GET", "/", [](const Request&) { return text_response("root"); });
  made.add("GET", "/api/workload/{id}",
           [](const Request& asked) { return text_response(std::string(asked.param("id"))); });
  made.add("POST", "/api/classify", [](const Request& asked) { return text_response(asked.body); });
  made.add("GET", "/throws", [](const Request&) -> Response { throw std::runtime_error("no"); });
  return made;
}

std::string body_of(const Response& response) {
  return *response.body;
}

}  // namespace

TEST_CASE("router: patterns match decoded segments") {
  const Router routes = router();
  Request asked = request("GET", "/");
  CHECK(body_of(routes.handle(asked)) == "root");
  asked = request("GET", "/api/workload/a%2Fb?x=1");
  CHECK(body_of(routes.handle(asked)) == "a/b");
  asked = request("HEAD", "/api/workload/7");
  CHECK(routes.handle(asked).status == 200);
}

TEST_CASE("router: what is not there is a problem, not a file") {
  const Router routes = router();
  for (const char* target :
       {"/api/workload/", "/api/workload/a/b", "/nothing", "//", "/../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd", "/api/workload/../../etc"}) {
    CAPTURE(target);
    Request asked = request("GET", target);
    const Response response = routes.handle(asked);
    CHECK(response.status == 404);
    CHECK(response.content_type == "application/problem+json");
  }
}

TEST_CASE("router: a wrong method names the right ones") {
  const Router routes = router();
  Request asked = request("DELETE", "/api/workload/7");
  const Response response = routes.handle(asked);
  CHECK(response.status == 405);
  REQUIRE(response.headers.size() == 1);
  CHECK(response.headers[0].second == "GET, HEAD");
  asked = request("GET", "/api/classify");
  CHECK(routes.handle(asked).headers.at(0).second == "POST");
}

TEST_CASE("router: what a handler throws is a 500") {
  Request asked = request("GET", "/throws");
  CHECK(router().handle(asked).status == 500);
}

TEST_CASE("request: query values are decoded and keep their order") {
  const Request asked = request("GET", "/p?a=1&b=x%20y+z&a=2&empty=&bare");
  CHECK(asked.path == "/p");
  CHECK(asked.query_value("a") == "1");
  CHECK(asked.query_value("b") == "x y z");
  CHECK(asked.query_value("empty") == "");
  CHECK(asked.query_value("bare") == "");
  CHECK_FALSE(asked.query_value("absent").has_value());
}

TEST_CASE("request: bad addresses are refused") {
  for (const char* target : {"", "x", "*", "/%", "/%2", "/%zz", "/a?b=%f", "/a?%=1"}) {
    CAPTURE(target);
    Request asked;
    CHECK_FALSE(parse_target(target, asked));
  }
}

TEST_CASE("response: a problem says what was wrong, whatever bytes that holds") {
  const Response response = problem(400, "bad \"\xff\n");
  CHECK(response.status == 400);
  CHECK(body_of(response).find("\\\"\xEF\xBF\xBD\\n") != std::string::npos);
}

TEST_CASE("listener: addresses") {
  const auto ipv4 = parse_listen_address("127.0.0.1:9102");
  REQUIRE(ipv4);
  CHECK(ipv4->host == "127.0.0.1");
  CHECK(ipv4->port == 9102);
  CHECK(parse_listen_address("[::1]:0")->host == "::1");
  CHECK(parse_listen_address(":80")->host == "");
  for (const char* text : {"", "9102", "host", "::1:80", "a:", "a:x", "a:65536", "a:-1", "[::1]"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_listen_address(text));
  }
}

TEST_CASE("listener: a taken port is named") {
  const auto first = open_listener({"127.0.0.1", 0});
  REQUIRE(first);
  const auto second = open_listener({"127.0.0.1", first->port});
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::kBusy);
  CHECK(second.error().message.find("another program listens") != std::string::npos);
}
