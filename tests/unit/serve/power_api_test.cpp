// SPDX-License-Identifier: Apache-2.0
#include "serve/power_api.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "serve/agent.hpp"
#include "snapshots.hpp"

using namespace powertrace;
using nlohmann::json;
using test::Machine;
using test::Person;
using test::person;

namespace {

struct Service {
  Service() : agent({}, config(), [] { return ServerStats{}; }) { agent.add_routes(router); }

  static AgentConfig config() {
    AgentConfig made;
    made.page.node_name = "n1";
    return made;
  }

  Response ask(std::string_view target, Pairs headers = {}) {
    Request request;
    request.method = "GET";
    request.headers = std::move(headers);
    REQUIRE(parse_target(target, request));
    return router.handle(request);
  }
  json get(std::string_view target) {
    const Response response = ask(target);
    REQUIRE(response.status == 200);
    return json::parse(*response.body);
  }

  void run(int seconds) {
    auto pod = std::make_shared<PodIdentity>();
    pod->uid = "pod-1";
    pod->name = "web-1";
    pod->name_space = "shop";
    pod->owner_name = "web";
    const ContainerIdentity container{std::string(64, 'c'), "containerd", "pod-1", "nginx", pod};
    for (int i = 0; i < seconds; ++i) {
      agent.add(machine.second(
          {person(100, "nginx", "/kubepods/x", container), person(200, "bash", "/user.slice")}));
    }
  }

  Machine machine{3};
  Agent agent;
  Router router;
};

}  // namespace

TEST_CASE("agent: before the first snapshot it says so") {
  Service service;
  CHECK(service.ask("/healthz").status == 200);
  for (const char* target :
       {"/readyz", "/metrics", "/api/v1/snapshot", "/api/v1/power/current", "/power/nodes"}) {
    CAPTURE(target);
    CHECK(service.ask(target).status == 503);
  }
  CHECK(service.ask("/").status == 200);
}

TEST_CASE("agent: a page is made once per snapshot") {
  Service service;
  service.run(1);
  const auto first = service.ask("/metrics").body;
  CHECK(service.ask("/metrics").body == first);
  const auto packed = service.ask("/metrics", {{"accept-encoding", "gzip"}}).body;
  CHECK(packed != first);
  CHECK(packed->size() < first->size());
  CHECK(packed->substr(0, 2) == "\x1f\x8b");
  service.run(1);
  CHECK(service.ask("/metrics").body != first);
}

TEST_CASE("power api: containers and the rest add up to the node") {
  Service service;
  service.run(45);
  for (const char* range : {"", "?range=10s", "?range=30s", "?time_range=5m"}) {
    CAPTURE(range);
    const json current = service.get(std::string("/api/v1/power/current") + range);
    const json nodes = service.get(std::string("/api/v1/power/nodes") + range);
    double sum = 0;
    for (const json& entry : current["data"]) {
      sum += entry["joules"].get<double>();
    }
    const json& node = nodes["nodes"][0];
    const double active = node["active_watts"].get<double>() * nodes["duration_s"].get<double>();
    CHECK(sum == doctest::Approx(active).epsilon(1e-5));
    CHECK(current["coverage"].get<double>() > 0);
  }
  CHECK(service.get("/api/v1/power/nodes?range=10s")["coverage"] == 1.0);
  CHECK(service.get("/api/v1/power/nodes?range=10m")["coverage"].get<double>() < 0.1);
  CHECK(service.get("/api/v1/power/history")["points"].size() == 4);
}

TEST_CASE("power api: filters, pages and aliases") {
  Service service;
  service.run(3);
  for (const char* target :
       {"/api/v1/power/current?namespace=shop", "/power/current?workload=shop/web-1",
        "/power/current?workload=web", "/power/current?namespace=shop&workload=nginx"}) {
    CAPTURE(target);
    const json found = service.get(target);
    REQUIRE(found["data"].size() == 1);
    CHECK(found["data"][0]["container_name"] == "nginx");
  }
  CHECK(service.get("/api/v1/power/current?namespace=nothing")["data"].empty());
  CHECK(service.get("/api/v1/power/current?workload=.*%22%7D")["data"].empty());
  const json first = service.get("/api/v1/power/containers?limit=1");
  CHECK(first["containers"].size() == 1);
  CHECK(first["next_cursor"] == 1);
  const json rest = service.get("/api/v1/power/containers?limit=100&cursor=1");
  CHECK(rest["next_cursor"].is_null());
  CHECK(rest["containers"].size() == 3);
}

TEST_CASE("power api: bad parameters are the client's fault") {
  Service service;
  service.run(1);
  for (const char* target :
       {"/api/v1/power/current?range=", "/api/v1/power/current?range=5",
        "/api/v1/power/current?range=1h", "/api/v1/power/current?range=-5s",
        "/api/v1/power/containers?limit=x", "/api/v1/power/containers?limit=1e9",
        "/api/v1/power/containers?cursor=-1", "/api/v1/snapshot?by=nothing",
        "/api/v1/snapshot?sort=nothing", "/api/v1/snapshot?limit=99999999"}) {
    CAPTURE(target);
    const Response response = service.ask(target);
    CHECK(response.status == 400);
    CHECK(response.content_type == "application/problem+json");
  }
}

TEST_CASE("snapshot api: the row model of top") {
  Service service;
  service.run(1);
  const json snapshot = service.get("/api/v1/snapshot?by=container&sort=watts");
  CHECK(snapshot["schema"] == "powertrace.snapshot/1");
  CHECK(snapshot["rows"].size() == 4);
  CHECK(service.get("/api/v1/snapshot?limit=1")["rows"].size() == 1);
}
