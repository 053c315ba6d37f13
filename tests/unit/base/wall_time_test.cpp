// SPDX-License-Identifier: Apache-2.0
#include "base/wall_time.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace powertrace;

TEST_CASE("RFC 3339 with a zone is read, and written back") {
  CHECK(parse_rfc3339("1970-01-01T00:00:00Z").value() == 0);
  CHECK(parse_rfc3339("2026-01-02T03:04:05.678Z").value() == 1767323045678);
  CHECK(parse_rfc3339("2026-01-02T04:04:05.678+01:00").value() == 1767323045678);
  CHECK(parse_rfc3339("2026-01-01T22:34:05.678-04:30").value() == 1767323045678);
  CHECK(format_rfc3339(1767323045678) == "2026-01-02T03:04:05.678Z");
  CHECK(format_rfc3339(1767323045000) == "2026-01-02T03:04:05Z");
}

TEST_CASE("a time without a zone, or none at all, is refused and says what to write") {
  for (const char* text :
       {"2026-01-02T03:04:05", "2026-01-02", "", "now", "2026-02-30T00:00:00Z",
        "2026-01-02T24:00:00Z", "2026-01-02T03:04Z", "2026-01-02T03:04:05+1:00",
        "2026-01-02T03:04:05Zx", "2026-01-02T03:04:05.Z", "-026-01-02T03:04:05Z"}) {
    const auto time = parse_rfc3339(text);
    REQUIRE_FALSE_MESSAGE(time.has_value(), text);
    CHECK(time.error().message.find("03:04:05Z") != std::string::npos);
  }
}

TEST_CASE("local days follow daylight saving: 23 and 25 hours") {
  const TimeZone paris = TimeZone::find("Europe/Paris").value();
  const UtcMs spring = parse_rfc3339("2026-03-29T10:00:00Z").value();
  CHECK(format_rfc3339(paris.day_start(spring)) == "2026-03-28T23:00:00Z");
  CHECK(paris.next_day(spring) - paris.day_start(spring) == 23 * kHourMs);
  const UtcMs autumn = parse_rfc3339("2026-10-25T10:00:00Z").value();
  CHECK(paris.next_day(autumn) - paris.day_start(autumn) == 25 * kHourMs);
  CHECK(paris.format(parse_rfc3339("2026-10-25T00:00:00Z").value()) == "2026-10-25T02:00:00+02:00");
  CHECK(paris.format(parse_rfc3339("2026-10-25T01:00:00Z").value()) == "2026-10-25T02:00:00+01:00");
}

TEST_CASE("zones off the full hour have hours of their own") {
  const TimeZone kolkata = TimeZone::find("Asia/Kolkata").value();
  const UtcMs time = parse_rfc3339("2026-01-02T03:04:05Z").value();
  CHECK(format_rfc3339(kolkata.hour_start(time)) == "2026-01-02T02:30:00Z");
  CHECK(kolkata.next_hour(time) - kolkata.hour_start(time) == kHourMs);
}

TEST_CASE("a midnight that the clock skips") {
  // Cairo sprang forward at 00:00 on 2024-04-26.
  const TimeZone cairo = TimeZone::find("Africa/Cairo").value();
  const UtcMs noon = parse_rfc3339("2024-04-26T09:00:00Z").value();
  CHECK(format_rfc3339(cairo.day_start(noon)) == "2024-04-25T22:00:00Z");
  CHECK(cairo.next_day(noon) - cairo.day_start(noon) == 23 * kHourMs);
}

TEST_CASE("an unknown zone is named") {
  const auto zone = TimeZone::find("Mars/Olympus");
  REQUIRE_FALSE(zone.has_value());
  CHECK(zone.error().message.find("Mars/Olympus") != std::string::npos);
  CHECK(TimeZone::find("../../etc/passwd").has_value() == false);
}
