// SPDX-License-Identifier: Apache-2.0
#include "history/promql.hpp"

#include <fmt/format.h>

namespace powertrace {

std::string promql_string(std::string_view value) {
  std::string text = "\"";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      text += fmt::format("\\x{:02x}", byte);
    } else {
      text += c;
    }
  }
  return text + "\"";
}

Selector& Selector::equal(std::string_view label, std::string_view value) {
  matchers_ += fmt::format("{}{}={}", matchers_.empty() ? "" : ",", label, promql_string(value));
  return *this;
}
Selector& Selector::match(std::string_view label, std::string_view own_pattern) {
  matchers_ +=
      fmt::format("{}{}=~{}", matchers_.empty() ? "" : ",", label, promql_string(own_pattern));
  return *this;
}
Selector& Selector::differ(std::string_view label, std::string_view own_pattern) {
  matchers_ +=
      fmt::format("{}{}!~{}", matchers_.empty() ? "" : ",", label, promql_string(own_pattern));
  return *this;
}
std::string Selector::text() const {
  return fmt::format("{}{{{}}}", metric_, matchers_);
}

std::string promql_duration(UtcMs ms) {
  return ms % 1000 == 0 ? fmt::format("{}s", ms / 1000) : fmt::format("{}ms", ms);
}

std::string sum_increase(const std::vector<std::string_view>& by,
                         const Selector& selector,
                         UtcMs range_ms) {
  return fmt::format("sum by ({}) (increase({}[{}]))", fmt::join(by, ","), selector.text(),
                     promql_duration(range_ms));
}

}  // namespace powertrace
