// SPDX-License-Identifier: Apache-2.0
//
// JSON of which only a few members matter, from a file or server that may send anything and a lot.
// Only for the .cpp files of identity/ that parse JSON: it brings nlohmann/json along.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/result.hpp"

namespace powertrace::json_filter {

using Json = nlohmann::json;

// Whether to keep the member `key` of an object nested `depth` deep (the outermost is 1). What is
// not kept is skipped while it is read and never stored.
using Keep = std::function<bool(int depth, std::string_view key)>;

// kMalformed with the place for what is not one whole JSON value.
Result<Json> parse(std::string_view text, const Keep& keep);

// Members of an object; nothing if `json` is no object, the member is missing or of another type.
const Json& member(const Json& json, const char* key);
std::string text(const Json& json, const char* key);

}  // namespace powertrace::json_filter
