// SPDX-License-Identifier: Apache-2.0
#include "serve/demo.hpp"

#include <doctest/doctest.h>

#include "serve/account.hpp"
#include "support/units.hpp"

using namespace powertrace;

namespace {

using powertrace::test::kSecond;

SnapshotPtr step(Demo& demo, std::uint64_t second) {
  return demo.next(second * kSecond, kSecond, 1'700'000'000 * kSecond + second * kSecond);
}

}  // namespace

TEST_CASE("demo: zones conserve, containers fit in, counters only grow") {
  for (const char* profile : {"idle", "moderate", "heavy"}) {
    CAPTURE(profile);
    DemoConfig config;
    config.profile = *parse_demo_profile(profile);
    Demo demo(config);
    Account account({}, {[](const ProcessIdentity&) { return std::optional<bool>(true); },
                         [](const CgroupIdentity&) { return std::optional<bool>(true); }});
    std::int64_t before = 0;
    for (std::uint64_t second = 1; second <= 2000; ++second) {
      const SnapshotPtr snapshot = step(demo, second);
      REQUIRE_FALSE(snapshot->source.measured);
      for (std::size_t z = 0; z < snapshot->zones.size(); ++z) {
        std::int64_t sum = snapshot->zone_use[z].idle_nj;
        for (const SnapshotTask& task : snapshot->tasks) {
          REQUIRE(task.use.energy_nj[z] >= 0);
          sum += task.use.energy_nj[z];
        }
        REQUIRE(sum == snapshot->zone_use[z].energy_nj);
      }
      account.add(snapshot);
      const AccountViewPtr view = account.view();
      REQUIRE(total_nj(view->energy_nj) > before);
      before = total_nj(view->energy_nj);
    }
    CHECK(account.view()->level(AccountLevel::kContainer).workloads.size() == 4);
    // The seed's formula: 50 W and what load and memory add, at most 332 W.
    CHECK(before / 2000 > 50 * 1'000'000'000LL);
    CHECK(before / 2000 < 332 * 1'000'000'000LL);
  }
  CHECK_FALSE(parse_demo_profile("extreme"));
}

TEST_CASE("demo: the same seed gives the same numbers") {
  DemoConfig config;
  config.seed = 7;
  Demo a(config);
  Demo b(config);
  config.seed = 8;
  Demo c(config);
  bool other = false;
  for (std::uint64_t second = 1; second <= 50; ++second) {
    const std::int64_t energy = step(a, second)->zone_use[0].energy_nj;
    CHECK(energy == step(b, second)->zone_use[0].energy_nj);
    other = other || energy != step(c, second)->zone_use[0].energy_nj;
  }
  CHECK(other);
}
