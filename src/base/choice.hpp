// SPDX-License-Identifier: Apache-2.0
//
// The values an option may take, by name: one table per enum gives both directions and the text of
// the error.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace powertrace {

template <typename T>
struct Choice {
  std::string_view name;
  T value;
};

template <typename T, std::size_t N>
std::string_view choice_name(const std::array<Choice<T>, N>& choices, T value) {
  for (const Choice<T>& choice : choices) {
    if (choice.value == value) {
      return choice.name;
    }
  }
  return "invalid";
}

// `what` completes the sentence `"x" is not ...`: "a sort key".
template <typename T, std::size_t N>
Result<T> parse_choice(std::string_view what,
                       std::string_view text,
                       const std::array<Choice<T>, N>& choices) {
  std::string names;
  for (std::size_t i = 0; i < N; ++i) {
    if (choices[i].name == text) {
      return choices[i].value;
    }
    if (i > 0) {
      names += i + 1 == N ? " or " : ", ";
    }
    names += choices[i].name;
  }
  return fail(ErrorCode::kUsage, "\"{}\" is not {}: use {}", text, what, names);
}

}  // namespace powertrace
