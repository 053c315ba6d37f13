// SPDX-License-Identifier: Apache-2.0
#include "capping/actuator.hpp"

#include <doctest/doctest.h>

#include "support/fake_limits.hpp"
#include "support/temp_dir.hpp"
#include "support/text.hpp"

using namespace powertrace;
using powertrace::test::FakeLimits;
using powertrace::test::TempDir;

namespace {

using powertrace::test::contains;

constexpr std::uint64_t kPl1 = 205'000'000;
constexpr std::uint64_t kPl2 = 255'000'000;

struct Rig {
  TempDir dir;
  FakeLimits io;
  SysRoot root{"/sys", dir.path("proc")};
  StateDir state{dir.path("run")};

  Rig() { boot("one"); }
  void boot(const std::string& id) const { dir.write("proc/sys/kernel/random/boot_id", id + "\n"); }
  void two_sockets() {
    io.add_package(0, kPl1, kPl2, kPl1);
    io.add_package(1, kPl1, kPl2, kPl1);
    // What must never be written: the whole machine, a sub-zone, the second interface.
    io.files["/sys/class/powercap/intel-rapl:2/name"] = "psys\n";
    io.constraint("/sys/class/powercap/intel-rapl:2", 0, "long_term", kPl1, kPl1);
    io.files["/sys/class/powercap/intel-rapl:0:0/name"] = "core\n";
    io.files["/sys/class/powercap/intel-rapl-mmio:0/name"] = "package-0\n";
    io.constraint("/sys/class/powercap/intel-rapl-mmio:0", 0, "long_term", kPl1, kPl1);
  }
  std::unique_ptr<Actuator> open(const ActuatorOptions& options = {}) {
    auto actuator = Actuator::open(io, root, state, std::nullopt, options);
    REQUIRE_MESSAGE(actuator, (actuator ? "" : actuator.error().message));
    return std::move(*actuator);
  }
};

}  // namespace

TEST_CASE("A node budget is divided over the packages' long-term limits and nothing else") {
  Rig rig;
  rig.two_sockets();
  const auto before = rig.io.files;
  {
    const auto actuator = rig.open();
    CHECK(actuator->original_w() == 410);
    CHECK(actuator->reference_w() == 410);
    CHECK(rig.io.writes.empty());
    REQUIRE(actuator->apply(0, 300.1));
    CHECK(rig.io.limit_uw(0, 0) == 150'000'000);  // rounded down to 1/8 W
    CHECK(rig.io.limit_uw(1, 0) == 150'000'000);
    REQUIRE(actuator->apply(1, 300.1));
    CHECK(rig.io.writes.size() == 2);  // nothing new, nothing written
    for (const auto& write : rig.io.writes) {
      CHECK((write.path == FakeLimits::limit(0, 0) || write.path == FakeLimits::limit(1, 0)));
    }
    CHECK(actuator->counts().writes == 2);
  }
  CHECK(rig.io.files == before);
  CHECK(!*rig.state.load());
}

TEST_CASE("Unequal packages share a budget by what they had") {
  Rig rig;
  rig.io.add_package(0, 200'000'000, 250'000'000, 200'000'000);
  rig.io.add_package(1, 100'000'000, 125'000'000, 100'000'000);
  const auto actuator = rig.open();
  REQUIRE(actuator->apply(0, 150));
  CHECK(rig.io.limit_uw(0, 0) == 100'000'000);
  CHECK(rig.io.limit_uw(1, 0) == 50'000'000);
}

TEST_CASE("Never above what was found, never nonsense") {
  Rig rig;
  rig.two_sockets();
  const auto actuator = rig.open();
  for (const double watts : {410.5, 5000.0, 0.1, 0.0, -5.0, std::nan("")}) {
    CHECK(actuator->apply(0, watts).error().code == ErrorCode::kUsage);
  }
  CHECK(rig.io.writes.empty());
  REQUIRE(actuator->apply(0, 410));
  CHECK(rig.io.writes.empty());
}

TEST_CASE("The short-term limit follows when asked, and is never below the long-term one") {
  Rig rig;
  rig.two_sockets();
  const auto before = rig.io.files;
  {
    ActuatorOptions options;
    options.with_short_term = true;
    const auto actuator = rig.open(options);
    for (const double watts : {300.0, 120.0, 90.0, 350.0, 410.0, 200.0}) {
      REQUIRE(actuator->apply(0, watts));
    }
    CHECK(rig.io.limit_uw(0, 0) == 100'000'000);
    CHECK(rig.io.limit_uw(0, 1) == 124'375'000);
  }
  CHECK(rig.io.writes.size() > 20);
  for (const auto& write : rig.io.writes) {
    for (const int number : {0, 1}) {
      CHECK(std::stoull(write.after.at(FakeLimits::limit(number, 0))) <=
            std::stoull(write.after.at(FakeLimits::limit(number, 1))));
      CHECK(std::stoull(write.after.at(FakeLimits::limit(number, 0))) <= kPl1);
    }
  }
  CHECK(rig.io.files == before);
}

TEST_CASE("A locked limit is named and left") {
  Rig rig;
  rig.two_sockets();
  rig.io.write_errors[FakeLimits::limit(0, 0)] = ENODATA;
  const auto before = rig.io.files;
  const auto actuator = rig.open();
  REQUIRE(actuator->apply(0, 300));
  const auto zones = actuator->zones();
  CHECK(zones[0].health == ZoneHealth::kLocked);
  CHECK(contains(zones[0].reason, "locked"));
  CHECK(zones[1].health == ZoneHealth::kOk);
  CHECK(rig.io.limit_uw(0, 0) == kPl1);
  CHECK(rig.io.limit_uw(1, 0) == 150'000'000);
  CHECK(actuator->counts().errors.at("locked") == 1);
  CHECK(actuator->any_usable());
  rig.io.write_errors[FakeLimits::limit(1, 0)] = ENODATA;
  REQUIRE(actuator->apply(1, 200));
  CHECK(!actuator->any_usable());
  // The second one cannot be put back as long as it is locked; it is not forgotten either.
  CHECK(rig.io.limit_uw(1, 0) == 150'000'000);
  CHECK((*rig.state.load())->zones[1].long_term.ours.size() > 0);
  rig.io.write_errors.clear();
  actuator->restore("test");
  CHECK(rig.io.files == before);
}

TEST_CASE("A limit that does not stay is given up and restored") {
  Rig rig;
  rig.two_sockets();
  rig.io.ignored[FakeLimits::limit(0, 0)] = true;
  const auto actuator = rig.open();
  REQUIRE(actuator->apply(0, 300));
  CHECK(actuator->zones()[0].health == ZoneHealth::kIneffective);
  CHECK(actuator->counts().errors.at("ineffective") == 1);
  CHECK(rig.io.limit_uw(0, 0) == kPl1);
  const std::size_t writes = rig.io.writes.size();
  REQUIRE(actuator->apply(1, 250));
  CHECK(rig.io.writes.size() == writes + 1);  // of the other package
}

TEST_CASE("Another writer is not fought, and its value is left alone") {
  Rig rig;
  rig.two_sockets();
  auto actuator = rig.open();
  REQUIRE(actuator->apply(0, 300));
  rig.io.files[FakeLimits::limit(0, 0)] = "111000000\n";
  REQUIRE(actuator->apply(10, 250));
  CHECK(actuator->zones()[0].health == ZoneHealth::kContended);
  CHECK(actuator->counts().contention == 1);
  CHECK(rig.io.limit_uw(0, 0) == 111'000'000);
  CHECK(rig.io.limit_uw(1, 0) == 125'000'000);
  REQUIRE(actuator->apply(1000, 260));
  CHECK(rig.io.limit_uw(0, 0) == 111'000'000);
  CHECK(actuator->counts().contention == 1);
  SUBCASE("it stays") {
    actuator.reset();
    CHECK(rig.io.limit_uw(0, 0) == 111'000'000);
    CHECK(rig.io.limit_uw(1, 0) == kPl1);
    CHECK(!*rig.state.load());
  }
  SUBCASE("it goes away") {
    rig.io.files[FakeLimits::limit(0, 0)] = fmt::format("{}\n", kPl1);
    REQUIRE(actuator->apply(10'000, 260));
    CHECK(actuator->zones()[0].health == ZoneHealth::kOk);
    CHECK(rig.io.limit_uw(0, 0) == 130'000'000);
    actuator.reset();
    CHECK(rig.io.limit_uw(0, 0) == kPl1);
  }
}

TEST_CASE("A zone that goes away takes nothing with it") {
  Rig rig;
  rig.two_sockets();
  auto actuator = rig.open();
  REQUIRE(actuator->apply(0, 300));
  std::erase_if(rig.io.files,
                [](const auto& file) { return file.first.starts_with(FakeLimits::package(0)); });
  REQUIRE(actuator->apply(1, 200));
  CHECK(actuator->zones()[0].health == ZoneHealth::kGone);
  CHECK(rig.io.limit_uw(1, 0) == 100'000'000);
  actuator.reset();
  CHECK(rig.io.limit_uw(1, 0) == kPl1);
}

TEST_CASE("A zone that fails for a while is not forgotten") {
  Rig rig;
  rig.two_sockets();
  const auto before = rig.io.files;
  auto actuator = rig.open();
  REQUIRE(actuator->apply(0, 300));
  rig.io.read_errors[FakeLimits::limit(0, 0)] = ENODATA;
  rig.io.write_errors[FakeLimits::limit(0, 0)] = ENODATA;
  REQUIRE(actuator->apply(1, 200));
  CHECK(actuator->zones()[0].health == ZoneHealth::kLocked);
  actuator.reset();
  CHECK(rig.io.limit_uw(0, 0) == 150'000'000);
  REQUIRE(*rig.state.load());
  rig.io.read_errors.clear();
  rig.io.write_errors.clear();
  REQUIRE(restore_state(rig.io, rig.state, rig.root));
  CHECK(rig.io.files == before);
  CHECK(!*rig.state.load());
}

TEST_CASE("There is one writer") {
  Rig rig;
  rig.two_sockets();
  const auto first = rig.open();
  const auto second = Actuator::open(rig.io, rig.root, rig.state, std::nullopt, {});
  REQUIRE(!second);
  CHECK(second.error().code == ErrorCode::kBusy);
  CHECK(contains(second.error().message, std::to_string(::getpid())));
}

TEST_CASE("What a crash left is put back before anything is taken for the original") {
  Rig rig;
  rig.two_sockets();
  const auto before = rig.io.files;
  std::optional<CapState> crashed;
  {
    const auto actuator = rig.open();
    REQUIRE(actuator->apply(0, 300));
    crashed = *rig.state.load();
  }
  rig.io.files[FakeLimits::limit(0, 0)] = "150000000\n";
  rig.io.files[FakeLimits::limit(1, 0)] = "150000000\n";
  REQUIRE(rig.state.save(*crashed));
  SUBCASE("in the same boot") {
    const auto actuator = rig.open();
    CHECK(rig.io.files == before);
    CHECK(actuator->recovered().restored == 2);
    CHECK(actuator->original_w() == 410);
  }
  SUBCASE("after a restart the firmware's values count") {
    rig.boot("two");
    const auto report = restore_state(rig.io, rig.state, rig.root);
    REQUIRE(report);
    CHECK(report->restored == 0);
    CHECK(rig.io.limit_uw(0, 0) == 150'000'000);
    CHECK(!*rig.state.load());
  }
  SUBCASE("restoring twice does nothing more") {
    CHECK(restore_state(rig.io, rig.state, rig.root)->restored == 2);
    CHECK(rig.io.files == before);
    const std::size_t writes = rig.io.writes.size();
    CHECK(restore_state(rig.io, rig.state, rig.root)->restored == 0);
    CHECK(rig.io.writes.size() == writes);
  }
  SUBCASE("a write that was cut off is ours") {
    rig.io.files[FakeLimits::limit(0, 0)].clear();
    CHECK(restore_state(rig.io, rig.state, rig.root)->restored == 2);
    CHECK(rig.io.files == before);
  }
  SUBCASE("a limit that cannot be put back keeps the state") {
    rig.io.write_errors[FakeLimits::limit(0, 0)] = EIO;
    CHECK(restore_state(rig.io, rig.state, rig.root)->failed == 1);
    CHECK(*rig.state.load());
    rig.io.write_errors.clear();
    CHECK(restore_state(rig.io, rig.state, rig.root)->restored == 1);
    CHECK(rig.io.files == before);
    CHECK(!*rig.state.load());
  }
  SUBCASE("a state that cannot be read is not thrown away") {
    rig.dir.write("run/powercap-state.json", "{\"schema\":");
    CHECK(restore_state(rig.io, rig.state, rig.root).error().code == ErrorCode::kMalformed);
    CHECK(!Actuator::open(rig.io, rig.root, rig.state, std::nullopt, {}));
  }
}

TEST_CASE("A disabled zone is enabled last, and disabled again last") {
  Rig rig;
  rig.io.add_package(0, kPl1, kPl2, kPl1);
  rig.io.files[FakeLimits::package(0) + "/enabled"] = "0\n";
  const auto before = rig.io.files;
  {
    const auto actuator = rig.open();
    REQUIRE(actuator->apply(0, 150));
    REQUIRE(rig.io.writes.size() == 2);
    CHECK(rig.io.writes[1].path == FakeLimits::package(0) + "/enabled");
  }
  CHECK(rig.io.writes.back().path == FakeLimits::package(0) + "/enabled");
  CHECK(rig.io.files == before);
}

TEST_CASE("Zones that cannot be controlled are refused with the reason") {
  const auto reason = [](const std::function<void(Rig&)>& change) {
    Rig rig;
    rig.io.add_package(0, kPl1, kPl2, kPl1);
    change(rig);
    const auto actuator = Actuator::open(rig.io, rig.root, rig.state, std::nullopt, {});
    REQUIRE(!actuator);
    CHECK(actuator.error().code == ErrorCode::kUnsupported);
    CHECK(rig.io.writes.empty());
    return actuator.error().message;
  };
  CHECK(contains(
      reason([](Rig& rig) { rig.io.files.erase(FakeLimits::package(0) + "/constraint_0_name"); }),
      "no long-term limit"));
  CHECK(contains(reason([](Rig& rig) { rig.io.read_errors[FakeLimits::limit(0, 0)] = ENODATA; }),
                 "locked"));
  CHECK(contains(reason([](Rig& rig) { rig.io.files[FakeLimits::limit(0, 1)] = "100000000\n"; }),
                 "below the long-term"));
  CHECK(contains(reason([](Rig& rig) { rig.io.files[FakeLimits::limit(0, 0)] = "0\n"; }), "0 W"));
  CHECK(contains(reason([](Rig& rig) {
                   rig.io.files[FakeLimits::limit(0, 0)] = "4095875000\n";
                   rig.io.files[FakeLimits::limit(0, 1)] = "4095875000\n";
                   rig.io.files[FakeLimits::package(0) + "/constraint_0_max_power_uw"] = "0\n";
                 }),
                 "--max-watts"));
  CHECK(
      contains(reason([](Rig& rig) { rig.io.files[FakeLimits::package(0) + "/name"] = "psys\n"; }),
               "no package zones"));
  CHECK(contains(reason([](Rig& rig) { rig.io.files.clear(); }), "no power limits"));
}

TEST_CASE("A limit that means none is capped below the design power and put back exactly") {
  Rig rig;
  rig.io.add_package(0, 4'095'875'000, 4'095'875'000, 165'000'000);
  const auto before = rig.io.files;
  {
    const auto actuator = rig.open();
    CHECK(actuator->original_w() == 165);
    REQUIRE(actuator->apply(0, 100));
    CHECK(rig.io.limit_uw(0, 0) == 100'000'000);
    REQUIRE(actuator->apply(1, 165));
    CHECK(rig.io.limit_uw(0, 0) == 4'095'875'000);
    REQUIRE(actuator->apply(2, 120));
  }
  CHECK(rig.io.files == before);
}
