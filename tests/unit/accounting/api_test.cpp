// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <sstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "serve/api_description.hpp"
#include "serve/cost_api.hpp"
#include "serve/web_page.hpp"

using namespace powertrace;

namespace {

Request get(const std::string& target) {
  Request request;
  request.method = "GET";
  REQUIRE(parse_target(target, request).has_value());
  return request;
}

Router router_without_history() {
  Router router;
  add_cost_routes(router, {nullptr, [] { return std::make_shared<const CostModel>(); },
                           ApiOwner::kCollector, true});
  add_page_files(router);
  add_cost_page(router);
  return router;
}

}  // namespace

TEST_CASE("docs/api.md names every path and parameter that the program has") {
  std::ifstream file(std::string(POWERTRACE_SOURCE_DIR) + "/docs/api.md");
  std::stringstream text;
  text << file.rdbuf();
  const std::string docs = text.str();
  REQUIRE_FALSE(docs.empty());
  for (const ApiEndpoint& endpoint : api_endpoints()) {
    const std::string path = std::string(endpoint.method) + " /api/v1" + std::string(endpoint.path);
    CHECK_MESSAGE(docs.find("`" + path + "`") != std::string::npos, path);
    for (const ApiParameter& parameter : endpoint.query) {
      CHECK_MESSAGE(docs.find("`" + std::string(parameter.name) + "`") != std::string::npos,
                    parameter.name);
    }
  }
}

TEST_CASE("every described path is routed, with and without its prefix") {
  const Router router = router_without_history();
  for (const ApiEndpoint& endpoint : api_endpoints()) {
    if (endpoint.owner == ApiOwner::kServe) {
      continue;
    }
    std::string path(endpoint.path);
    if (const std::size_t open = path.find('{'); open != std::string::npos) {
      path = path.substr(0, open) + "shop%2Fweb";
    }
    for (const std::string& prefix : {std::string("/api/v1"), std::string()}) {
      Request request = get(prefix + path);
      request.method = endpoint.method;
      const int status = router.handle(request).status;
      CHECK_MESSAGE(status != 404, path);
      CHECK_MESSAGE(status != 405, path);
    }
  }
}

TEST_CASE("the OpenAPI document is JSON and says whether a token is needed") {
  const auto open = nlohmann::json::parse(openapi_json(ApiOwner::kServe, false));
  CHECK(open["openapi"] == "3.0.3");
  CHECK(open["paths"].contains("/api/v1/snapshot"));
  CHECK_FALSE(open.contains("security"));
  const auto closed = nlohmann::json::parse(openapi_json(ApiOwner::kCollector, true));
  CHECK_FALSE(closed["paths"].contains("/api/v1/snapshot"));
  CHECK(closed.contains("security"));
}

TEST_CASE("without a history the answer is 503 and says how to get one") {
  const Router router = router_without_history();
  Request request = get("/cost/current");
  const Response response = router.handle(request);
  CHECK(response.status == 503);
  CHECK(response.body->find("--history") != std::string::npos);
}

TEST_CASE("an ETag that the client has gives 304 without a body") {
  Request request = get("/x");
  const Response first = with_etag(request, json_response("{}"));
  CHECK(first.status == 200);
  request.headers = {{"if-none-match", first.headers.front().second}};
  const Response second = with_etag(request, json_response("{}"));
  CHECK(second.status == 304);
  CHECK(second.body->empty());
  CHECK(with_etag(request, json_response("{\"a\":1}")).status == 200);
}

TEST_CASE("bearer tokens") {
  Request request = get("/x");
  CHECK_FALSE(has_bearer(request, "secret"));
  for (const char* bad :
       {"Bearer ", "Bearer secre", "Bearer secrets", "bearer secret", "secret", "Basic secret"}) {
    request.headers = {{"authorization", bad}};
    CHECK_FALSE_MESSAGE(has_bearer(request, "secret"), bad);
  }
  request.headers = {{"authorization", "Bearer secret"}};
  CHECK(has_bearer(request, "secret"));
}

TEST_CASE("the page loads nothing from elsewhere") {
  const Router router = router_without_history();
  for (const char* path : {"/cost", "/cost.css", "/cost.js", "/common.css", "/common.js"}) {
    Request request = get(path);
    const Response response = router.handle(request);
    CHECK(response.status == 200);
    CHECK(response.body->find("https://") == std::string::npos);
    CHECK(response.body->find("innerHTML") == std::string::npos);
  }
}
