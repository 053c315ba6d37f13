// SPDX-License-Identifier: Apache-2.0
//
// PromQL from parts: names are our constants, values from outside become quoted strings. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/wall_time.hpp"

namespace powertrace {

// A string literal: quotes, backslashes, line feeds and what is no UTF-8 are escaped, so that no
// value can end it.
std::string promql_string(std::string_view value);

// {a="b",c=~"d|e"}: equality with values from outside, patterns only from our own constants.
class Selector {
 public:
  explicit Selector(std::string_view metric) : metric_(metric) {}
  Selector& equal(std::string_view label, std::string_view value);
  Selector& match(std::string_view label, std::string_view own_pattern);
  Selector& differ(std::string_view label, std::string_view own_pattern);
  [[nodiscard]] std::string text() const;

 private:
  std::string metric_;
  std::string matchers_;
};

// "sum by (a,b) (increase(SELECTOR[RANGE]))"
std::string sum_increase(const std::vector<std::string_view>& by,
                         const Selector& selector,
                         UtcMs range_ms);

// "[90s]" is written "90s", "[1500ms]" "1500ms".
std::string promql_duration(UtcMs ms);

}  // namespace powertrace
