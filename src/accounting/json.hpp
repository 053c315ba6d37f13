// SPDX-License-Identifier: Apache-2.0
//
// Pieces of JSON that several answers share. Private to accounting/: the only header of it that
// names the JSON library.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "cost/model.hpp"
#include "history/workload.hpp"

namespace powertrace {

using Json = nlohmann::ordered_json;

Json cost_figures(const CostModel& model, const Cost& cost);
Json names_json(const Workload& who);
Json method_json(const CostModel& model);

// Never fails: bytes that are no UTF-8 are replaced.
std::string dump(const Json& json);

}  // namespace powertrace
