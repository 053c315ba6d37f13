// SPDX-License-Identifier: Apache-2.0
#include "base/parse.hpp"

#include <doctest/doctest.h>

#include "base/clock.hpp"

namespace powertrace {

TEST_CASE("parse: durations need a unit and say so") {
  CHECK(*parse_duration_ns("250ms") == 250'000'000);
  CHECK(*parse_duration_ns("1.5s") == 1'500'000'000);
  CHECK(*parse_duration_ns("10us") == 10'000);
  CHECK(*parse_duration_ns("1m") == 60'000'000'000);
  CHECK(*parse_duration_ns("0s") == 0);
  for (const char* bad :
       {"", "100", "ms", "-1s", "1 s", "1sec", "1.2.3s", "nan", "1e3s", "99999999999h"}) {
    CAPTURE(bad);
    const auto parsed = parse_duration_ns(bad);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().code == ErrorCode::kUsage);
    CHECK(parsed.error().message.find("for example") != std::string::npos);
  }
}

TEST_CASE("parse: shares are percentages or fractions within 0 and 1") {
  CHECK(*parse_fraction("0.5%") == doctest::Approx(0.005));
  CHECK(*parse_fraction("0.005") == doctest::Approx(0.005));
  CHECK(*parse_fraction("100%") == doctest::Approx(1));
  for (const char* bad : {"", "%", "-1%", "101%", "1.5", "half", "inf", "nan%"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_fraction(bad).has_value());
  }
}

TEST_CASE("parse: sizes are bytes or powers of 1024") {
  CHECK(*parse_size("4096") == 4096);
  CHECK(*parse_size("64M") == 64U << 20U);
  CHECK(*parse_size("1.5G") == 3ULL << 29U);
  for (const char* bad : {"", "M", "-1", "64MB", "1 K", "99999999999G", "nan"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_size(bad).has_value());
  }
}

TEST_CASE("clock: UTC with milliseconds") {
  CHECK(format_utc(0) == "1970-01-01T00:00:00.000Z");
  CHECK(format_utc(1'767'323'045'678'000'000) == "2026-01-02T03:04:05.678Z");
}

}  // namespace powertrace
