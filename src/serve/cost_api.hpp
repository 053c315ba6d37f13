// SPDX-License-Identifier: Apache-2.0
//
// The REST service of cost and workload classes, for serve and collector: every path below /api/v1
// and, as an alias, without it. Read-only. Handlers run on any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cost/model.hpp"
#include "history/store.hpp"
#include "serve/api_description.hpp"
#include "serve/router.hpp"

namespace powertrace {

struct CostApiConfig {
  std::shared_ptr<HistoryStore> store;  // null: there is no history; answers say how to get one
  std::function<std::shared_ptr<const CostModel>()> model;  // the current one; never null
  ApiOwner program = ApiOwner::kServe;
  bool token = false;  // requests need one: for the OpenAPI document
};

// With kCollector, /power/... too: serve answers these from memory.
void add_cost_routes(Router& router, const CostApiConfig& config);

// Adds the ETag of the body, or answers 304 where the client has it already.
Response with_etag(const Request& request, Response response);

// "Authorization: Bearer TOKEN", compared in constant time.
bool has_bearer(const Request& request, std::string_view token);

}  // namespace powertrace
