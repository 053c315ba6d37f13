// SPDX-License-Identifier: Apache-2.0
#include "base/units.hpp"

#include <limits>

#include <doctest/doctest.h>

#include "base/text.hpp"

namespace powertrace {

TEST_CASE("units: a share of the largest amount does not overflow, and parts lose nothing") {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  CHECK(share(kMost, 7, 7) == kMost);
  CHECK(share(kMost, 1, 2) == kMost / 2);
  CHECK(share(-7, 1, 2) == -3);
  std::int64_t sum = 0;
  for (std::int64_t part = 0; part < 7; ++part) {
    sum += share(kMost, part + 1, 7) - share(kMost, part, 7);
  }
  CHECK(sum == kMost);
}

TEST_CASE("text: words are taken up to a separator, and the last one without") {
  std::string_view rest = "a,,b";
  CHECK(take_until(rest, ',') == "a");
  CHECK(take_until(rest, ',').empty());
  CHECK(rest == "b");
  CHECK(take_until(rest, ',') == "b");
  CHECK(rest.empty());
  CHECK(take_until(rest, ',').empty());
}

TEST_CASE("text: blanks and line ends around a text go, those inside stay") {
  CHECK(trimmed(" \t a b\r\n") == "a b");
  CHECK(trimmed("x") == "x");
  CHECK(trimmed(" \r\n\t").empty());
  CHECK(trimmed("").empty());
}

}  // namespace powertrace
