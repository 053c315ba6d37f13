// SPDX-License-Identifier: Apache-2.0
#include "serve/api_description.hpp"

#include <array>

#include <nlohmann/json.hpp>

#include "powertrace/version.h"

namespace powertrace {
namespace {

using Json = nlohmann::ordered_json;

constexpr ApiParameter kNamespace{"namespace", "only this namespace"};
constexpr ApiParameter kWorkload{"workload",
                                 "only this one: namespace/pod, pod uid, container id or cgroup"};
constexpr ApiParameter kNode{"node", "only this node"};
constexpr ApiParameter kRange{"range", "so long before now, with a unit: 5m"};
constexpr ApiParameter kStart{"start", "RFC 3339 with its zone; without it, 24 h before end"};
constexpr ApiParameter kEnd{"end", "RFC 3339 with its zone; without it, now"};
constexpr ApiParameter kZone{"tz", "zone of the hours and days, such as Europe/Paris; UTC"};
constexpr ApiParameter kLimit{"limit", "rows in one answer, 1 to 10000; 100"};
constexpr ApiParameter kCursor{"cursor", "next_cursor of the answer before"};

constexpr std::array kPowerCurrent{kNamespace, kWorkload, kRange};
constexpr std::array kPowerContainers{kNamespace, kWorkload, kRange, kLimit, kCursor};
constexpr std::array kPowerNodes{kRange};
constexpr std::array kCostCurrent{
    kNamespace,
    kWorkload,
    kNode,
    kRange,
    ApiParameter{"by",
                 "rows: namespace (the default), pod, container, workload, node, cgroup, user"},
    kLimit,
    kCursor};
constexpr std::array kCostHourly{kStart,
                                 kEnd,
                                 kNamespace,
                                 kWorkload,
                                 kNode,
                                 kZone,
                                 ApiParameter{"by", "buckets: hour (the default) or day"},
                                 kLimit,
                                 kCursor};
constexpr std::array kCostWorkload{kStart, kEnd};
constexpr std::array kTypes{kNamespace, kWorkload, kRange, kLimit, kCursor};

constexpr std::array<ApiEndpoint, 10> kEndpoints{{
    {"GET", "/power/current", "Energy and mean power of containers over the last minutes",
     kPowerCurrent, ApiOwner::kBoth},
    {"GET", "/power/containers", "The same, in pages", kPowerContainers, ApiOwner::kBoth},
    {"GET", "/power/nodes", "Energy and mean power of nodes", kPowerNodes, ApiOwner::kBoth},
    {"GET", "/cost/current", "Cost of the last hour, by who", kCostCurrent, ApiOwner::kBoth},
    {"GET", "/cost/hourly", "Cost by hour or day", kCostHourly, ApiOwner::kBoth},
    {"GET", "/cost/workload/{id}", "Cost of one workload, with its parts", kCostWorkload,
     ApiOwner::kBoth},
    {"GET", "/profile/workload-types", "What kind of work each workload does", kTypes,
     ApiOwner::kBoth},
    {"POST", "/profile/classify", "The class of a feature vector", {}, ApiOwner::kBoth},
    {"GET", "/snapshot", "The last snapshot, as top --json prints it", {}, ApiOwner::kServe},
    {"GET", "/openapi.json", "This document", {}, ApiOwner::kBoth},
}};

Json parameters_json(const ApiEndpoint& endpoint) {
  Json list = Json::array();
  const std::size_t open = endpoint.path.find('{');
  if (open != std::string_view::npos) {
    const std::string_view name =
        endpoint.path.substr(open + 1, endpoint.path.find('}') - open - 1);
    list.push_back({{"name", name},
                    {"in", "path"},
                    {"required", true},
                    {"description", "percent-encoded: shop%2Fweb"},
                    {"schema", {{"type", "string"}}}});
  }
  for (const ApiParameter& parameter : endpoint.query) {
    list.push_back({{"name", parameter.name},
                    {"in", "query"},
                    {"description", parameter.about},
                    {"schema", {{"type", parameter.name == "limit" ? "integer" : "string"}}}});
  }
  return list;
}

Json problem_json(std::string_view about) {
  return {
      {"description", about},
      {"content",
       {{"application/problem+json", {{"schema", {{"$ref", "#/components/schemas/Problem"}}}}}}}};
}

Json operation_json(const ApiEndpoint& endpoint) {
  const bool post = endpoint.method == "POST";
  Json responses{{"200",
                  {{"description", "OK"},
                   {"content", {{"application/json", {{"schema", {{"type", "object"}}}}}}}}}};
  if (!post) {
    responses["304"] = {{"description", "the answer with this ETag is still right"}};
    responses["400"] = problem_json("a parameter is wrong; the detail says which and why");
  } else {
    responses["422"] = problem_json("the body is wrong; the detail lists all that is");
  }
  if (endpoint.path.find('{') != std::string_view::npos) {
    responses["404"] = problem_json("nothing of this id used energy in the range");
  }
  responses["503"] =
      problem_json("the history does not answer; Retry-After says when to come back");
  Json operation{{"summary", endpoint.about}, {"responses", std::move(responses)}};
  if (Json parameters = parameters_json(endpoint); !parameters.empty()) {
    operation["parameters"] = std::move(parameters);
  }
  if (post) {
    operation["requestBody"] = {
        {"required", true},
        {"content",
         {{"application/json", {{"schema", {{"$ref", "#/components/schemas/Features"}}}}}}}};
  }
  return operation;
}

Json features_schema() {
  Json properties = Json::object();
  for (const std::string_view name :
       {"cpu_cores", "duty_cycle", "run_length_ms", "ipc", "switches_per_second", "burstiness",
        "period_seconds", "periodicity", "gpu_share"}) {
    properties[std::string(name)] = {{"type", "number"}, {"minimum", 0}};
  }
  properties["workload_type"] = {{"type", "string"}};
  return {{"type", "object"},
          {"required", {"cpu_cores"}},
          {"additionalProperties", false},
          {"properties", std::move(properties)}};
}

}  // namespace

std::span<const ApiEndpoint> api_endpoints() {
  return kEndpoints;
}

std::string openapi_json(ApiOwner program, bool token) {
  Json paths = Json::object();
  for (const ApiEndpoint& endpoint : kEndpoints) {
    if (endpoint.owner == ApiOwner::kBoth || endpoint.owner == program) {
      const std::string method = endpoint.method == "POST" ? "post" : "get";
      paths["/api/v1" + std::string(endpoint.path)][method] = operation_json(endpoint);
    }
  }
  Json document{
      {"openapi", "3.0.3"},
      {"info",
       {{"title", program == ApiOwner::kServe ? "powertrace serve" : "powertrace collector"},
        {"version", POWERTRACE_VERSION},
        {"description",
         "Energy, cost and carbon of workloads. Energy in joules and kWh, time in RFC 3339. "
         "Paths without /api/v1 are aliases."}}},
      {"paths", std::move(paths)},
      {"components",
       {{"schemas",
         {{"Problem",
           {{"type", "object"},
            {"properties",
             {{"type", {{"type", "string"}}},
              {"title", {{"type", "string"}}},
              {"status", {{"type", "integer"}}},
              {"detail", {{"type", "string"}}}}}}},
          {"Features", features_schema()}}}}}};
  if (token) {
    document["components"]["securitySchemes"] = {
        {"bearer", {{"type", "http"}, {"scheme", "bearer"}}}};
    document["security"] = Json::array({{{"bearer", Json::array()}}});
  }
  return document.dump();
}

}  // namespace powertrace
