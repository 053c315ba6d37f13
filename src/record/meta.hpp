// SPDX-License-Identifier: Apache-2.0
//
// The payload of the meta chunk. Later versions may add fields at its end. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "record/content.hpp"

namespace powertrace::record {

std::string encode_meta(const Meta& meta);
// nullopt: it does not hold together.
std::optional<Meta> decode_meta(std::string_view payload);

}  // namespace powertrace::record
