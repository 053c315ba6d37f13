// SPDX-License-Identifier: Apache-2.0
#include "energy/synthetic.hpp"

#include <cerrno>
#include <cmath>
#include <random>
#include <thread>

#include <doctest/doctest.h>

#include "support/fake_cpus.hpp"
#include "support/test_clock.hpp"
#include "support/units.hpp"

namespace powertrace {
namespace {

using powertrace::test::kSecond;
using powertrace::test::test_clock;
using powertrace::test::test_now_ns;

using test::FakeCpus;

constexpr std::uint64_t kTickNs = 10'000'000;
struct Reader {
  explicit Reader(const FakeCpus& cpus, const char* config) {
    test_now_ns = kSecond;
    const auto parsed = parse_synthetic(config);
    REQUIRE(parsed.has_value());
    auto opened = SyntheticSource::open(cpus.root(), *parsed, test_clock);
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message));
    source = std::move(*opened);
    deltas.resize(source->zones().size());
    source->read(deltas);
  }
  // After `ticks` of 10 ms: the node's watts over them.
  double watts(std::uint64_t ticks) {
    test_now_ns += ticks * kTickNs;
    source->read(deltas);
    return static_cast<double>(total_nj()) / static_cast<double>(ticks * kTickNs);
  }
  [[nodiscard]] std::int64_t total_nj() const {
    std::int64_t sum = 0;
    for (const ZoneDelta& delta : deltas) {
      sum += delta.energy_nj;
    }
    return sum;
  }
  [[nodiscard]] double zone_watts(std::size_t i) const {
    return static_cast<double>(deltas[i].energy_nj) / static_cast<double>(deltas[i].duration_ns);
  }
  std::unique_ptr<SyntheticSource> source;
  std::vector<ZoneDelta> deltas;
};

}  // namespace

TEST_CASE("synthetic: zones per package and dram, all estimates") {
  const FakeCpus cpus({0, 0, 3, 3});
  const Reader reader(cpus, "idle=50,max=150,curve=intel");
  const auto zones = reader.source->zones();
  REQUIRE(zones.size() == 3);
  CHECK(zones[0].name == "package-0");
  CHECK(zones[1].name == "package-3");
  CHECK(zones[1].socket == 3);
  CHECK(zones[2].name == "dram");
  CHECK(zones[2].socket == -1);
  for (std::size_t i = 0; i < zones.size(); ++i) {
    CHECK_FALSE(zones[i].measured);
    CHECK(zones[i].in_total);
    CHECK(reader.deltas[i].status == ZoneStatus::kFirst);
  }
  CHECK_FALSE(reader.source->info().measured);
  CHECK(reader.source->info().expected_error == 0.06);
  CHECK(Reader(cpus, "dram=0").source->zones().size() == 2);
}

TEST_CASE("synthetic: the zones' idle power is the formula's") {
  const FakeCpus cpus({0, 0, 0, 3});
  const Reader reader(cpus, "idle=50,max=150,curve=intel,dram=0.2");
  CHECK(*reader.source->idle_milliwatts(0) == doctest::Approx(30'000).epsilon(0.001));
  CHECK(*reader.source->idle_milliwatts(1) == doctest::Approx(10'000).epsilon(0.001));
  CHECK(*reader.source->idle_milliwatts(2) == doctest::Approx(10'000).epsilon(0.001));
}

TEST_CASE("synthetic: watts follow the load") {
  FakeCpus cpus({0, 0, 0, 0});
  Reader reader(cpus, "idle=50,max=150,curve=linear");
  cpus.run_all(100, 0);
  CHECK(reader.watts(100) == doctest::Approx(50));
  cpus.run_all(100, 100);
  CHECK(reader.watts(100) == doctest::Approx(150));
  cpus.run_all(10, 5);
  CHECK(reader.watts(10) == doctest::Approx(100));
  CHECK(reader.deltas[0].duration_ns == 10 * kTickNs);
  // A window shorter than the ticks allow keeps the load of the last one that was long enough.
  cpus.run_all(1, 1);
  CHECK(reader.watts(1) == doctest::Approx(100));
  cpus.run_all(9, 9);
  CHECK(reader.watts(9) == doctest::Approx(150));
}

TEST_CASE("synthetic: the first short windows use what is known") {
  FakeCpus cpus({0, 0});
  Reader reader(cpus, "idle=50,max=150,curve=linear");
  cpus.run_all(2, 1);
  CHECK(reader.watts(2) == doctest::Approx(100));
}

TEST_CASE("synthetic: packages share the active power by their own load") {
  FakeCpus cpus({0, 0, 1, 1});
  Reader reader(cpus, "idle=40,max=140,curve=linear,dram=0");
  for (int i = 0; i < 3; ++i) {
    cpus.run(0, 100, 100);
    cpus.run(1, 100, 50);
    cpus.run(2, 100, 50);
    cpus.run(3, 100, 0);
    cpus.write();
    CHECK(reader.watts(100) == doctest::Approx(90));
    CHECK(reader.zone_watts(0) == doctest::Approx(20 + 37.5));
    CHECK(reader.zone_watts(1) == doctest::Approx(20 + 12.5));
  }
}

TEST_CASE("synthetic: the seed's dram zone is its memory term, from meminfo") {
  FakeCpus cpus({0});
  cpus.memory_kb(20'000'000, 20'000'000 - 9'765'625);  // 10 GB used
  Reader reader(cpus, "curve=seed");
  cpus.run_all(100, 20);
  CHECK(reader.watts(100) == doctest::Approx(50 + 50 + 5));
  CHECK(reader.zone_watts(1) == doctest::Approx(5));
  cpus.dir().write("proc/meminfo", "junk\n");
  reader.watts(100);
  CHECK(reader.deltas[0].status == ZoneStatus::kUnreadable);
  CHECK(reader.deltas[0].sys_errno == EINVAL);
  cpus.memory_kb(20'000'000, 20'000'000);
  reader.watts(100);
  CHECK(reader.deltas[0].status == ZoneStatus::kFirst);
}

TEST_CASE("synthetic: irregular windows of any load conserve and never go back") {
  FakeCpus cpus({0, 0, 0, 1, 1, 1});
  std::mt19937 random(42);
  for (const char* config : {"idle=50,max=180,curve=amd,dram=0.15", "curve=seed", "idle=0,max=7"}) {
    CAPTURE(config);
    Reader reader(cpus, config);
    const double lowest_w = config[0] == 'i' && config[5] == '0' ? 0 : 50;
    const double highest_w = config[0] == 'c' ? 310 : (lowest_w > 0 ? 180 : 7);
    for (int i = 0; i < 2000; ++i) {
      const std::uint64_t ticks = 1 + random() % 30;
      for (std::size_t cpu = 0; cpu < 6; ++cpu) {
        cpus.run(cpu, ticks, random() % (ticks + 1));
      }
      cpus.write();
      const double watts = reader.watts(ticks);
      REQUIRE(watts >= lowest_w - 1e-6);
      REQUIRE(watts <= highest_w + 1e-6);
      for (const ZoneDelta& delta : reader.deltas) {
        REQUIRE(delta.status == ZoneStatus::kOk);
        REQUIRE(delta.energy_nj >= 0);
      }
    }
  }
}

TEST_CASE("synthetic: many short windows add up to the long one") {
  const FakeCpus cpus({0});
  Reader reader(cpus, "idle=33.333,max=150,curve=linear");
  std::int64_t sum_nj = 0;
  constexpr int kWindows = 200'000;
  for (int i = 0; i < kWindows; ++i) {
    test_now_ns += 7;
    reader.source->read(reader.deltas);
    sum_nj += reader.total_nj();
  }
  CHECK(std::abs(static_cast<double>(sum_nj) - 33.333 * 7 * kWindows) <= 1);
}

TEST_CASE("synthetic: the load holds while CPUs come and go or counters go back") {
  FakeCpus cpus({0, 0, 1, 1});
  Reader reader(cpus, "idle=50,max=150,curve=linear");
  cpus.run_all(100, 50);
  CHECK(reader.watts(100) == doctest::Approx(100));
  SUBCASE("a CPU goes and comes back") {
    cpus.online(3, false);
    cpus.idle_back(3, 4000);  // the sum line jumps with it
    cpus.run_all(100, 100);
    CHECK(reader.watts(100) == doctest::Approx(100));
    for (std::size_t cpu = 0; cpu < 3; ++cpu) {
      cpus.run(cpu, 100, 100);
    }
    cpus.write();
    CHECK(reader.watts(100) == doctest::Approx(150));
    cpus.online(3, true);
    cpus.run_all(100, 0);
    CHECK(reader.watts(100) == doctest::Approx(150));
    cpus.run_all(100, 0);
    CHECK(reader.watts(100) == doctest::Approx(50));
  }
  SUBCASE("idle goes back") {
    cpus.idle_back(1, 500);
    cpus.run_all(10, 0);
    CHECK(reader.watts(10) == doctest::Approx(100));
    cpus.run_all(10, 0);
    CHECK(reader.watts(10) == doctest::Approx(50));
  }
  SUBCASE("the file stands still") {
    CHECK(reader.watts(100) == doctest::Approx(100));
  }
  SUBCASE("more CPUs than there were") {
    cpus.dir().write("proc/stat", "cpu  9 0 0 9 0 0 0 0\ncpu70000 1 0 0 1\n");
    reader.watts(100);
    CHECK(reader.deltas[0].status == ZoneStatus::kUnreadable);
    cpus.dir().write("proc/stat", "cpu  9 0 0 9 0 0 0 0\ncpu60000 9 0 0 9\n");
    reader.watts(100);
    CHECK(reader.deltas[0].status == ZoneStatus::kFirst);
    CHECK(reader.watts(100) == doctest::Approx(100));
  }
}

TEST_CASE("synthetic: garbage in the input is a status, not a crash") {
  FakeCpus cpus({0, 0});
  for (const char* text :
       {"", "\n", "cpu\n", "cpu  1 2\n", "cpu  1 2 3 4\n", "cpux 1 2 3 4\n", "cpu  1 2 3 4 5 6 7 8",
        "intr 1\n", "cpu-1 1 2 3 4\n", "cpu0 1 2 3 4\n", "cpu  -1 2 3 4\ncpu0 1 2 3 4\n"}) {
    CAPTURE(text);
    Reader reader(cpus, "idle=50,max=150");
    cpus.dir().write("proc/stat", text);
    reader.watts(100);
    CHECK(reader.deltas[0].status == ZoneStatus::kUnreadable);
    CHECK(reader.deltas[0].sys_errno == EINVAL);
    CHECK(reader.total_nj() == 0);
    CHECK_FALSE(SyntheticSource::open(cpus.root(), {}).has_value());
    cpus.write();
    reader.watts(100);
    CHECK(reader.deltas[0].status == ZoneStatus::kFirst);
  }
}

TEST_CASE("synthetic: a node asleep for days is ambiguous") {
  const FakeCpus cpus({0});
  Reader reader(cpus, "");
  test_now_ns += 2 * reader.source->max_interval_ns();
  reader.source->read(reader.deltas);
  CHECK(reader.deltas[0].status == ZoneStatus::kAmbiguous);
  CHECK(reader.total_nj() == 0);
}

TEST_CASE("synthetic: missing files name themselves, a missing topology is one package") {
  const FakeCpus cpus({0, 0});
  cpus.dir().remove("sys");
  CHECK(Reader(cpus, "").source->zones()[0].name == "package-0");
  cpus.dir().remove("proc/meminfo");
  CHECK(SyntheticSource::open(cpus.root(), *parse_synthetic("")).has_value());
  const auto seed = SyntheticSource::open(cpus.root(), *parse_synthetic("curve=seed"));
  REQUIRE_FALSE(seed.has_value());
  CHECK(seed.error().message.find("proc/meminfo") != std::string::npos);
  cpus.dir().remove("proc/stat");
  const auto none = SyntheticSource::open(cpus.root(), {});
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().message.find("proc/stat") != std::string::npos);
}

TEST_CASE("synthetic: a busy loop on this machine costs watts") {
  auto opened = SyntheticSource::open({}, *parse_synthetic("idle=10,max=110,curve=linear"));
  REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message));
  SyntheticSource& source = **opened;
  std::vector<ZoneDelta> deltas(source.zones().size());
  const auto watts = [&] {
    double sum = 0;
    for (const ZoneDelta& delta : deltas) {
      sum += static_cast<double>(delta.energy_nj);
    }
    return sum / static_cast<double>(deltas[0].duration_ns);
  };
  source.read(deltas);
  const std::uint64_t end_ns = monotonic_ns() + 400'000'000;
  while (monotonic_ns() < end_ns) {
  }
  source.read(deltas);
  // One CPU was busy for 40 ticks. 3 may be lost at the edges, and what a hypervisor took away is
  // not this machine's energy; others may run on top.
  const double one_cpu_w = 100.0 / static_cast<double>(std::thread::hardware_concurrency());
  CHECK(watts() >= 10 + one_cpu_w * 0.5);
  CHECK(watts() <= 110);
}

}  // namespace powertrace
