// SPDX-License-Identifier: Apache-2.0
//
// /api/v1/snapshot and /api/v1/power/...: JSON of what the loop published. Read-only.
#pragma once

#include "serve/power_history.hpp"
#include "serve/published.hpp"
#include "serve/router.hpp"

namespace powertrace {

// `board` and `history` must outlive the router.
void add_power_routes(Router& router, const Board& board, const PowerHistory& history);

}  // namespace powertrace
