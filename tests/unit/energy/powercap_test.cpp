// SPDX-License-Identifier: Apache-2.0
#include "energy/powercap.hpp"

#include <algorithm>
#include <cerrno>
#include <map>
#include <sys/wait.h>

#include <doctest/doctest.h>
#include <unistd.h>

#include "support/fake_powercap.hpp"
#include "support/test_clock.hpp"
#include "support/units.hpp"

namespace powertrace {
namespace {

using powertrace::test::kSecond;
using powertrace::test::test_clock;
using powertrace::test::test_now_ns;

using test::FakePowercap;

struct Reader {
  explicit Reader(const FakePowercap& tree) {
    test_now_ns = kSecond;
    auto opened = PowercapSource::open(tree.root(), test_clock);
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message));
    source = std::move(*opened);
    deltas.resize(source->zones().size());
    read();
  }
  void read(std::uint64_t after_ns = kSecond) {
    test_now_ns += after_ns;
    source->read(deltas);
  }
  const ZoneDelta& operator[](const std::string& name) const {
    const auto zones = source->zones();
    for (std::size_t i = 0; i < zones.size(); ++i) {
      if (zones[i].name == name) {
        return deltas[i];
      }
    }
    FAIL("no zone " << name);
    return deltas.front();
  }
  [[nodiscard]] std::int64_t total_nj() const {
    std::int64_t sum = 0;
    const auto zones = source->zones();
    for (std::size_t i = 0; i < zones.size(); ++i) {
      sum += zones[i].in_total ? deltas[i].energy_nj : 0;
    }
    return sum;
  }
  std::unique_ptr<PowercapSource> source;
  std::vector<ZoneDelta> deltas;
};

std::vector<std::string> names_of(const EnergySource& source) {
  std::vector<std::string> names;
  for (const Zone& zone : source.zones()) {
    names.push_back(zone.name);
  }
  return names;
}

}  // namespace

TEST_CASE("powercap: two sockets give unique names, sockets and the zones of the total") {
  FakePowercap tree;
  tree.add_two_sockets();
  const Reader reader(tree);
  CHECK(names_of(*reader.source) == std::vector<std::string>{"package-0", "core-0", "uncore-0",
                                                             "dram-0", "package-1", "core-1",
                                                             "uncore-1", "dram-1", "psys"});
  for (const Zone& zone : reader.source->zones()) {
    CAPTURE(zone.name);
    CHECK(zone.measured);
    CHECK(zone.die == -1);
    CHECK(zone.in_total == (zone.kind == ZoneKind::kPackage || zone.kind == ZoneKind::kDram));
    const char last = zone.name.back();
    CHECK(zone.socket == (last == 's' ? -1 : last - '0'));
  }
  CHECK(reader.source->info().measured);
  CHECK(reader.source->info().expected_error == 0);
}

TEST_CASE("powercap: zone ids are not sockets, dies are named") {
  FakePowercap tree;
  tree.add("intel-rapl:0", "package-1-die-0");
  tree.add("intel-rapl:1", "package-0-die-1");
  tree.add("intel-rapl:1:0", "dram");
  tree.add("intel-rapl:10", "package-0-die-0");
  tree.add("intel-rapl:10:3", "core");
  tree.add("intel-rapl:11", "package-0-die-x");
  tree.add("intel-rapl:12", "mystery");
  tree.add("intel-rapl:x", "package-7");
  tree.add("dtpm:0", "package-8");
  tree.dir().write("class/powercap/intel-rapl:13/energy_uj", "1\n");  // no name
  const Reader reader(tree);
  CHECK(names_of(*reader.source) == std::vector<std::string>{"package-0-die-0", "core-0-die-0",
                                                             "package-0-die-1", "dram-0-die-1",
                                                             "package-1-die-0"});
  CHECK(reader.source->zones()[3].die == 1);
  CHECK(reader.source->zones()[4].socket == 1);
}

TEST_CASE("powercap: the node total is package + dram, never the sum of all zones") {
  FakePowercap tree;
  tree.add("intel-rapl:0", "package-0");
  tree.add("intel-rapl:0:0", "core");
  tree.add("intel-rapl:0:1", "uncore");
  tree.add("intel-rapl:0:2", "dram", FakePowercap::kFineRangeUj);
  tree.add("intel-rapl:1", "psys");
  tree.add("intel-rapl-mmio:0", "package-0");
  Reader reader(tree);
  tree.advance("intel-rapl:1", 90'000'000);
  tree.advance("intel-rapl:0", 60'000'000);
  tree.advance("intel-rapl-mmio:0", 60'000'000);
  tree.advance("intel-rapl:0:0", 45'000'000);
  tree.advance("intel-rapl:0:1", 3'000'000);
  tree.advance("intel-rapl:0:2", 8'000'000);
  reader.read();
  CHECK(reader.total_nj() == 68'000'000'000);
  CHECK(reader["psys"].energy_nj == 90'000'000'000);
  CHECK(reader["core-0"].energy_nj == 45'000'000'000);
}

TEST_CASE("powercap: of a package in MSR and MMIO the readable one stays") {
  FakePowercap tree;
  tree.add("intel-rapl-mmio:0", "package-0");
  tree.add("intel-rapl:0", "package-0");
  tree.add("intel-rapl:1", "package-0");  // the same zone twice
  SUBCASE("both readable: MSR") {
    Reader reader(tree);
    tree.advance("intel-rapl:0", 7);
    tree.advance("intel-rapl-mmio:0", 5);
    reader.read();
    REQUIRE(reader.deltas.size() == 1);
    CHECK(reader["package-0"].energy_nj == 7000);
  }
  SUBCASE("MSR unreadable: MMIO") {
    tree.make_unreadable("intel-rapl:0");
    tree.make_unreadable("intel-rapl:1");
    Reader reader(tree);
    tree.advance("intel-rapl-mmio:0", 5);
    reader.read();
    REQUIRE(reader.deltas.size() == 1);
    CHECK(reader["package-0"].energy_nj == 5000);
  }
}

TEST_CASE("powercap: energy wrap adds max_energy_range_uj") {
  FakePowercap tree;
  tree.add("intel-rapl:0", "package-0", FakePowercap::kServerRangeUj, 262'143'000'000);
  tree.add("intel-rapl:0:0", "dram", FakePowercap::kFineRangeUj, 65'712'999'600);
  Reader reader(tree);
  CHECK(reader["package-0"].status == ZoneStatus::kFirst);
  CHECK(reader["package-0"].energy_nj == 0);
  tree.set_energy("intel-rapl:0", 500'000);
  tree.set_energy("intel-rapl:0:0", 2);
  reader.read();
  CHECK(reader["package-0"].status == ZoneStatus::kOk);
  CHECK(reader["package-0"].energy_nj == 828'850'000);
  CHECK(reader["dram-0"].energy_nj == 15'000);
}

TEST_CASE("powercap: many wraps at irregular polls lose nothing") {
  FakePowercap tree;
  tree.add("intel-rapl:0", "package-0", 2'000'000'000, 0);
  Reader reader(tree);
  std::int64_t sum_nj = 0;
  std::uint64_t time_ns = 0;
  std::uint64_t expected_uj = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t after_ns =
        950'000'000 + static_cast<std::uint64_t>(i * 7919 % 101) * 1'000'000;
    const std::uint64_t energy_uj = after_ns / 1000 * 200;  // 200 W
    tree.advance("intel-rapl:0", energy_uj);
    reader.read(after_ns);
    const ZoneDelta& delta = reader["package-0"];
    REQUIRE(delta.status == ZoneStatus::kOk);
    // Watts come from the measured time, not the nominal second.
    CHECK(static_cast<double>(delta.energy_nj) / static_cast<double>(delta.duration_ns) ==
          doctest::Approx(200).epsilon(1e-6));
    sum_nj += delta.energy_nj;
    expected_uj += energy_uj;
    time_ns += delta.duration_ns;
  }
  CHECK(sum_nj == static_cast<std::int64_t>(expected_uj) * 1000);
  CHECK(time_ns > 990 * kSecond);
}

TEST_CASE("powercap: a poll too late to tell is ambiguous and the next one is fine") {
  FakePowercap tree;
  tree.add("intel-rapl:0", "package-0");
  SUBCASE("without constraints 1000 W") {
    Reader reader(tree);
    CHECK(reader.source->max_interval_ns() / kSecond == 65);
    reader.read(263 * kSecond);
    CHECK(reader["package-0"].status == ZoneStatus::kAmbiguous);
    CHECK(reader["package-0"].energy_nj == 0);
    tree.advance("intel-rapl:0", 5);
    reader.read();
    CHECK(reader["package-0"].energy_nj == 5000);
  }
  SUBCASE("with constraints twice the largest sane one") {
    tree.constraint("intel-rapl:0", 0, "long_term", 125'000'000, 250'000'000);
    tree.constraint("intel-rapl:0", 1, "short_term", 4'095'875'000, 0);
    Reader reader(tree);
    CHECK(reader.source->max_interval_ns() / kSecond == 131);
    reader.read(263 * kSecond);
    CHECK(reader["package-0"].status == ZoneStatus::kOk);
    reader.read(525 * kSecond);
    CHECK(reader["package-0"].status == ZoneStatus::kAmbiguous);
  }
  SUBCASE("a cap that may be lifted does not make the bound tight") {
    tree.constraint("intel-rapl:0", 0, "long_term", 1'000'000, 0);
    Reader reader(tree);
    reader.read(600 * kSecond);
    CHECK(reader["package-0"].status == ZoneStatus::kOk);  // 100 W
    reader.read(2700 * kSecond);
    CHECK(reader["package-0"].status == ZoneStatus::kAmbiguous);
  }
}

TEST_CASE("powercap: one zone's trouble is its own") {
  FakePowercap tree;
  tree.add_two_sockets();
  Reader reader(tree);
  const auto advance_all = [&tree](std::initializer_list<const char*> zones) {
    for (const char* zone : zones) {
      tree.advance(zone, 1'000'000);
    }
  };
  tree.make_garbage("intel-rapl:0:2", "not a number\n");
  tree.vanish("intel-rapl:1");
  advance_all({"intel-rapl:0", "intel-rapl:1:2"});
  reader.read();
  CHECK(reader["dram-0"].status == ZoneStatus::kUnreadable);
  CHECK(reader["dram-0"].sys_errno == EINVAL);
  CHECK(reader["package-1"].status == ZoneStatus::kGone);
  CHECK(reader.total_nj() == 2'000'000'000);  // package-0 and dram-1

  reader.read(kSecond / 10);
  CHECK(reader["package-1"].status == ZoneStatus::kGone);
  tree.reappear("intel-rapl:1");
  tree.set_energy("intel-rapl:0:2", 4);
  reader.read(2 * kSecond);
  CHECK(reader["package-1"].status == ZoneStatus::kFirst);
  CHECK(reader["package-1"].energy_nj == 0);
  CHECK(reader["dram-0"].status == ZoneStatus::kFirst);
  advance_all({"intel-rapl:1", "intel-rapl:0:2"});
  reader.read();
  CHECK(reader["package-1"].energy_nj == 1'000'000'000);
  CHECK(reader["dram-0"].energy_nj == 1'000'000'000);
}

TEST_CASE("powercap: a zone that comes back as another one stays gone") {
  FakePowercap tree;
  tree.add("intel-rapl:0", "package-0");
  tree.add("intel-rapl:1", "package-1");
  tree.add("intel-rapl:1:0", "core");
  Reader reader(tree);
  tree.vanish("intel-rapl:1");
  tree.vanish("intel-rapl:1:0");
  reader.read();
  tree.add("intel-rapl:1", "package-2");
  tree.add("intel-rapl:1:0", "core");
  reader.read(2 * kSecond);
  CHECK(reader["package-1"].status == ZoneStatus::kGone);
  CHECK(reader["package-1"].sys_errno == ENODEV);
  CHECK(reader["core-1"].status == ZoneStatus::kGone);
  CHECK(reader["package-0"].status == ZoneStatus::kOk);
}

TEST_CASE("powercap: an unreadable zone does not stop the others at the start") {
  FakePowercap tree;
  tree.add_two_sockets();
  tree.make_unreadable("intel-rapl:0");
  Reader reader(tree);
  CHECK(reader["package-0"].status == ZoneStatus::kUnreadable);
  CHECK(reader["package-0"].sys_errno == EISDIR);
  CHECK(reader["package-1"].status == ZoneStatus::kFirst);
  tree.set_energy("intel-rapl:0", 5);  // a new file: the old descriptor is of no use
  reader.read(2 * kSecond);
  CHECK(reader["package-0"].status == ZoneStatus::kGone);
  reader.read(2 * kSecond);
  CHECK(reader["package-0"].status == ZoneStatus::kFirst);
}

TEST_CASE("powercap: machines without a usable zone are told apart") {
  const auto code_of = [](const FakePowercap& tree) {
    const auto opened = PowercapSource::open(tree.root());
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().message.find(tree.dir().path("class/powercap")) != std::string::npos);
    return opened.error().code;
  };
  FakePowercap tree;
  SUBCASE("no powercap at all") {
    tree.dir().remove("class/powercap");
    CHECK(code_of(tree) == ErrorCode::kNotFound);
  }
  SUBCASE("the control type without zones") {
    CHECK(code_of(tree) == ErrorCode::kNotFound);
  }
  SUBCASE("never readable") {
    tree.add("intel-rapl:0", "package-0");
    tree.make_unreadable("intel-rapl:0");
    CHECK(code_of(tree) == ErrorCode::kUnsupported);
  }
  SUBCASE("nothing that makes a total") {
    tree.add("intel-rapl:0", "psys");
    CHECK(code_of(tree) == ErrorCode::kUnsupported);
  }
  SUBCASE("no right to read") {
    tree.add("intel-rapl:0", "package-0");
    std::filesystem::permissions(tree.dir().path("class/powercap/intel-rapl:0/energy_uj"),
                                 std::filesystem::perms::none);
    std::filesystem::permissions(
        tree.dir().path(),
        std::filesystem::perms::others_exec | std::filesystem::perms::others_read,
        std::filesystem::perm_options::add);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      const bool dropped = ::getuid() != 0 || ::setuid(65534) == 0;
      const auto opened = PowercapSource::open(tree.root());
      const bool denied = !opened && opened.error().code == ErrorCode::kPermission &&
                          opened.error().sys_errno == EACCES;
      ::_exit(dropped && denied ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
}

}  // namespace powertrace
