// SPDX-License-Identifier: Apache-2.0
//
// Checks that several commands share. Each error names the option it is about.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace powertrace {

// One of a list of words.
template <typename T>
Result<T> choose(const char* option,
                 const std::string& text,
                 const std::vector<std::pair<std::string, T>>& choices) {
  std::string names;
  for (const auto& [name, value] : choices) {
    if (text == name) {
      return value;
    }
    names += (names.empty() ? "" : ", ") + name;
  }
  return fail(ErrorCode::kUsage, "{}: \"{}\" is not one of {}", option, text, names);
}

// Puts the option's name in front of what a parser complains about.
template <typename T>
Result<T> at_option(const char* option, Result<T> parsed) {
  if (!parsed) {
    return tl::make_unexpected(with_context(parsed.error(), option));
  }
  return parsed;
}

// --window: 5 ms to 60 s.
Result<std::uint64_t> check_window(const std::string& text);

// A whole number from 1.
Result<std::uint64_t> check_count(const char* option, const std::string& text);

}  // namespace powertrace
