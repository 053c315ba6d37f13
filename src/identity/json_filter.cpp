// SPDX-License-Identifier: Apache-2.0
#include "identity/json_filter.hpp"

#include <exception>

namespace powertrace::json_filter {

Result<Json> parse(std::string_view text, const Keep& keep) {
  const auto filter = [&keep](int depth, Json::parse_event_t event, Json& parsed) {
    return event != Json::parse_event_t::key || keep(depth, parsed.get_ref<const std::string&>());
  };
  try {
    return Json::parse(text, filter);
  } catch (const std::exception& error) {
    return fail(ErrorCode::kMalformed, "{}", error.what());
  }
}

const Json& member(const Json& json, const char* key) {
  static const Json kNothing;
  if (!json.is_object()) {
    return kNothing;
  }
  const auto found = json.find(key);
  return found == json.end() ? kNothing : *found;
}

std::string text(const Json& json, const char* key) {
  const Json& value = member(json, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

}  // namespace powertrace::json_filter
