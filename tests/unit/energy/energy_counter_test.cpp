// SPDX-License-Identifier: Apache-2.0
#include "energy/energy_counter.hpp"

#include <cerrno>
#include <limits>

#include <doctest/doctest.h>

#include "support/temp_dir.hpp"
#include "support/test_clock.hpp"
#include "support/units.hpp"

namespace powertrace {
namespace {

using powertrace::test::kSecond;
using powertrace::test::test_clock;
using powertrace::test::test_now_ns;

CounterSpec spec_of(std::uint64_t range_uj, std::uint64_t max_power_uw) {
  CounterSpec spec;
  spec.range_uj = range_uj;
  spec.max_power_uw = max_power_uw;
  return spec;
}

}  // namespace

TEST_CASE("counter: a wrap adds the zone's own range") {
  const CounterSpec server = spec_of(262'143'328'850, 1'000'000'000);
  CHECK(unwrap_uj(server, 262'143'000'000, 500'000, kSecond).delta_uj == 828'850);
  CHECK(unwrap_uj(server, 262'143'000'000, 500'000, kSecond).status == ZoneStatus::kOk);
  const CounterSpec fine = spec_of(65'712'999'613, 300'000'000);
  CHECK(unwrap_uj(fine, 65'712'999'613, 15, kSecond).delta_uj == 15);
  CHECK(unwrap_uj(fine, 65'712'999'000, 0, kSecond).delta_uj == 613);
  CHECK(unwrap_uj(fine, 7, 7, kSecond).delta_uj == 0);
  // One unit above the rounded range: nothing is left to the wrap, and nothing goes negative.
  CHECK(unwrap_uj(fine, 65'712'999'628, 15, kSecond).delta_uj == 15);
  // 2^32 J, the whole of a counter in units of 1 J.
  const CounterSpec coarse = spec_of(4'294'967'295'000'000, 4'000'000'000);
  CHECK(unwrap_uj(coarse, 4'294'967'294'000'000, 1'000'000, kSecond).delta_uj == 2'000'000);
}

TEST_CASE("counter: what no single wrap explains is ambiguous") {
  const CounterSpec server = spec_of(262'143'328'850, 1'000'000'000);
  SUBCASE("longer than a range can last at full power") {
    CHECK(unwrap_uj(server, 0, 1'000'000, 263 * kSecond).status == ZoneStatus::kAmbiguous);
    CHECK(unwrap_uj(server, 0, 1'000'000, 262 * kSecond).status == ZoneStatus::kOk);
  }
  SUBCASE("a reset is not a spike of a whole range") {
    const Unwrapped reset = unwrap_uj(server, 5'000'000'000, 0, kSecond / 10);
    CHECK(reset.status == ZoneStatus::kAmbiguous);
    CHECK(reset.delta_uj == 0);
  }
  SUBCASE("a counter that does not wrap went back") {
    CHECK(unwrap_uj(spec_of(0, 0), 100, 99, kSecond).status == ZoneStatus::kAmbiguous);
    CHECK(unwrap_uj(spec_of(0, 0), 99, 100, 1000 * kSecond).delta_uj == 1);
  }
  SUBCASE("a difference that does not fit nJ in 63 bits") {
    constexpr auto kHuge = std::numeric_limits<std::uint64_t>::max();
    CHECK(unwrap_uj(spec_of(0, 0), 0, kHuge, kSecond).status == ZoneStatus::kAmbiguous);
    CHECK(unwrap_uj(spec_of(kHuge, kHuge), kHuge - 1, kHuge / 2, 1).status ==
          ZoneStatus::kAmbiguous);
  }
}

TEST_CASE("counter: the read interval is a quarter of the time to a wrap") {
  // Seconds to a wrap at 280 W: 234 with the fine unit, 936 with the coarse one.
  CHECK(EnergyCounter(spec_of(65'536'000'000, 280'000'000)).max_interval_ns() / kSecond == 234 / 4);
  CHECK(EnergyCounter(spec_of(262'144'000'000, 280'000'000)).max_interval_ns() / kSecond ==
        936 / 4);
  CHECK(EnergyCounter(spec_of(0, 1)).max_interval_ns() ==
        std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("counter: text that is no number is unreadable and the next number is a first") {
  const test::TempDir dir;
  CounterSpec spec = spec_of(1'000'000'000, 1'000'000'000);
  spec.path = dir.path("energy_uj");
  EnergyCounter counter(spec);
  ZoneDelta delta;
  test_now_ns = kSecond;
  struct Case {
    const char* text;
    int error;
  };
  for (const Case& bad :
       {Case{"", ENODATA}, Case{"\n", ENODATA}, Case{"junk", EINVAL}, Case{"12 34\n", EINVAL},
        Case{"-5\n", EINVAL}, Case{"1.5\n", EINVAL}, Case{"99999999999999999999999\n", EINVAL}}) {
    CAPTURE(bad.text);
    dir.write("energy_uj", bad.text);
    counter.read(test_clock, delta);
    CHECK(delta.status == ZoneStatus::kUnreadable);
    CHECK(delta.sys_errno == bad.error);
    CHECK(delta.energy_nj == 0);
    dir.write("energy_uj", "100\n");
    counter.read(test_clock, delta);
    CHECK(delta.status == ZoneStatus::kFirst);
    dir.write("energy_uj", "142\n");
    test_now_ns += 1000;
    counter.read(test_clock, delta);
    CHECK(delta.status == ZoneStatus::kOk);
    CHECK(delta.energy_nj == 42'000);
    CHECK(delta.duration_ns == 1000);
  }
}

TEST_CASE("counter: a missing file is looked for once a second") {
  const test::TempDir dir;
  CounterSpec spec = spec_of(1'000'000'000, 1'000'000'000);
  spec.path = dir.path("energy_uj");
  EnergyCounter counter(spec);
  ZoneDelta delta;
  test_now_ns = kSecond;
  counter.read(test_clock, delta);
  CHECK(delta.status == ZoneStatus::kGone);
  CHECK(delta.sys_errno == ENOENT);
  dir.write("energy_uj", "1\n");
  test_now_ns += kSecond / 2;
  counter.read(test_clock, delta);
  CHECK(delta.status == ZoneStatus::kGone);
  test_now_ns += kSecond / 2;
  counter.read(test_clock, delta);
  CHECK(delta.status == ZoneStatus::kFirst);
}

}  // namespace powertrace
