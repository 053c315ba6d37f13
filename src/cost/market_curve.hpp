// SPDX-License-Identifier: Apache-2.0
//
// Series of a market as curves of the cost model. Pure.
#pragma once

#include "base/result.hpp"
#include "cost/model.hpp"
#include "market/series.hpp"

namespace powertrace {

// The price, its currency and its source; an error if the other price is in another currency.
Status use_price(CostModel& model, const Series& series);
// The carbon intensity with its basis.
Status use_intensity(CostModel& model, const Series& series);

}  // namespace powertrace
