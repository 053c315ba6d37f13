// SPDX-License-Identifier: Apache-2.0
//
// What the REST service answers: one table, from which the OpenAPI document is made and to which
// docs/api.md is held by a test. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace powertrace {

struct ApiParameter {
  std::string_view name;
  std::string_view about;
};

enum class ApiOwner : std::uint8_t { kBoth, kServe, kCollector };

struct ApiEndpoint {
  std::string_view method;  // "GET"
  std::string_view path;    // below /api/v1; {name} is a parameter
  std::string_view about;
  std::span<const ApiParameter> query;
  ApiOwner owner = ApiOwner::kBoth;
};

std::span<const ApiEndpoint> api_endpoints();

// The document of one of the two programs. `token`: requests need one.
std::string openapi_json(ApiOwner program, bool token);

}  // namespace powertrace
