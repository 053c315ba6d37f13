// SPDX-License-Identifier: Apache-2.0
//
// The options about prices and carbon that cost, serve and collector share.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/cost_model.hpp"

namespace powertrace {

// Where serve keeps the history of the node and cost reads it.
inline constexpr const char* kDefaultHistory = "/var/lib/powertrace/history.db";

void add_cost_options(CLI::App& command, CostModelOptions& options);

}  // namespace powertrace
