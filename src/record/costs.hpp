// SPDX-License-Identifier: Apache-2.0
//
// The payload of the costs chunk: what recording cost and lost since it began. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/snapshot.hpp"

namespace powertrace::record {

std::string encode_costs(const SelfCost& costs);
// nullopt: it does not hold together.
std::optional<SelfCost> decode_costs(std::string_view payload);

}  // namespace powertrace::record
