// SPDX-License-Identifier: Apache-2.0
//
// The web page at /: three files that are part of the program and need nothing from elsewhere. What
// they show they get from /api/v1.
#pragma once

#include "serve/router.hpp"

namespace powertrace {

void add_web_routes(Router& router);

// The page /cost: cost and carbon of the last day by hour, namespace and workload.
void add_cost_page(Router& router);

}  // namespace powertrace
