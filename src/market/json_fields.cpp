// SPDX-License-Identifier: Apache-2.0
#include "market/json_fields.hpp"

namespace powertrace {
namespace {

tl::unexpected<Error> wrong(std::string_view source, const char* name, const char* what) {
  return fail(ErrorCode::kMalformed, "{}: the answer has no {} \"{}\"", source, what, name);
}

}  // namespace

Result<Json> parse_json(std::string_view source, std::string_view text) {
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) {
    const std::size_t first = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
    if (first == std::string_view::npos) {
      return fail(ErrorCode::kMalformed, "{}: the answer is empty", source);
    }
    return fail(ErrorCode::kMalformed, "{}: the answer is not JSON{}", source,
                text[first] == '<' ? " but a web page" : "; it may be cut short");
  }
  return json;
}

const Json* find_field(const Json& object, const char* name) {
  if (!object.is_object()) {
    return nullptr;
  }
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

Result<const Json*> array_field(std::string_view source, const Json& object, const char* name) {
  const Json* field = find_field(object, name);
  if (field == nullptr || !field->is_array()) {
    return wrong(source, name, "list");
  }
  return field;
}

Result<std::string> string_field(std::string_view source, const Json& object, const char* name) {
  const Json* field = find_field(object, name);
  if (field == nullptr || !field->is_string()) {
    return wrong(source, name, "text");
  }
  return field->get<std::string>();
}

Result<std::int64_t> integer_field(std::string_view source, const Json& object, const char* name) {
  constexpr std::int64_t kExact = std::int64_t{1} << 53U;
  const Json* field = find_field(object, name);
  if (field == nullptr || !field->is_number_integer() || field->get<double>() > kExact ||
      field->get<double>() < -kExact) {
    return wrong(source, name, "whole number");
  }
  return field->get<std::int64_t>();
}

Result<std::optional<double>> number_field(std::string_view source,
                                           const Json& object,
                                           const char* name) {
  const Json* field = find_field(object, name);
  if (field == nullptr || !(field->is_number() || field->is_null())) {
    return wrong(source, name, "number");
  }
  if (field->is_null()) {
    return std::optional<double>();
  }
  return std::optional<double>(field->get<double>());
}

std::string optional_string(const Json& object, const char* name) {
  const Json* field = find_field(object, name);
  return field != nullptr && field->is_string() ? field->get<std::string>() : "";
}

}  // namespace powertrace
