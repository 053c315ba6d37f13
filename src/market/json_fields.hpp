// SPDX-License-Identifier: Apache-2.0
//
// JSON of other people's: fields of the type that is wanted, or an error that names the source and
// the field. For the parsers only; it brings in the JSON library.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/result.hpp"

namespace powertrace {

using Json = nlohmann::json;

// kMalformed for what is no JSON, or a web page.
Result<Json> parse_json(std::string_view source, std::string_view text);

// The member, or nullptr if there is none or `object` is no object.
const Json* find_field(const Json& object, const char* name);

Result<const Json*> array_field(std::string_view source, const Json& object, const char* name);
Result<std::string> string_field(std::string_view source, const Json& object, const char* name);
// An integer that a double holds exactly.
Result<std::int64_t> integer_field(std::string_view source, const Json& object, const char* name);
// nullopt for null; a member that is missing or of another type is an error.
Result<std::optional<double>> number_field(std::string_view source,
                                           const Json& object,
                                           const char* name);
// "" if there is none.
std::string optional_string(const Json& object, const char* name);

}  // namespace powertrace
