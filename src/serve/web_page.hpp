// SPDX-License-Identifier: Apache-2.0
//
// The web pages: files that are part of the program and need nothing from elsewhere. What they show
// they get from /api/v1.
#pragma once

#include <string_view>

#include "serve/router.hpp"

namespace powertrace {

// What both pages need.
void add_page_files(Router& router);

// The page /: what the node uses now.
void add_live_page(Router& router);

// The page /cost: cost and carbon of the last day by hour, namespace and workload.
void add_cost_page(Router& router);

// It is the page /cost, or a file that it is made of: nothing secret.
bool is_cost_page(std::string_view path);

}  // namespace powertrace
