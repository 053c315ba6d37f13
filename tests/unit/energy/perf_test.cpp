// SPDX-License-Identifier: Apache-2.0
//
// A fake "power" PMU whose type is the kernel's software PMU and whose event is its clock: it
// counts ns, so at a scale of 1e-9 every zone draws exactly 1 W.
#include "energy/perf.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <sys/wait.h>
#include <thread>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include "energy/registry.hpp"
#include "support/temp_dir.hpp"

namespace powertrace {
namespace {

constexpr const char* kPmu = "bus/event_source/devices/power/";

struct FakePmu {
  FakePmu() {
    dir.write(kPmu + std::string("type"), "1\n");
    dir.write(kPmu + std::string("cpumask"), "0\n");
  }
  void event(const std::string& name, const std::string& config = "event=0x00") const {
    const std::string file = kPmu + ("events/" + name);
    dir.write(file, config + "\n");
    dir.write(file + ".scale", "1e-9\n");
    dir.write(file + ".unit", "Joules\n");
  }
  void cpu(int cpu, int socket, int die) const {
    const std::string topology = fmt::format("devices/system/cpu/cpu{}/topology/", cpu);
    dir.write(topology + "physical_package_id", fmt::format("{}\n", socket));
    dir.write(topology + "die_id", fmt::format("{}\n", die));
  }
  [[nodiscard]] SysRoot root() const { return {dir.path(), "/proc"}; }
  test::TempDir dir;
};

// Without the right to count anything there is nothing to test here.
std::unique_ptr<PerfSource> open_or_skip(const FakePmu& pmu) {
  auto opened = PerfSource::open(pmu.root());
  if (!opened && opened.error().code == ErrorCode::kPermission) {
    std::puts(("skipped: " + opened.error().message).c_str());
    std::exit(77);
  }
  REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message));
  return std::move(*opened);
}

std::vector<std::string> names_of(const EnergySource& source) {
  std::vector<std::string> names;
  for (const Zone& zone : source.zones()) {
    names.push_back(zone.name);
  }
  return names;
}

}  // namespace

TEST_CASE("perf: counts times scale are joules over the measured time") {
  const FakePmu pmu;
  for (const char* name :
       {"energy-pkg", "energy-cores", "energy-gpu", "energy-ram", "energy-psys"}) {
    pmu.event(name);
  }
  const auto source = open_or_skip(pmu);
  CHECK(names_of(*source) ==
        std::vector<std::string>{"package-0", "core-0", "uncore-0", "dram-0", "psys"});
  for (const Zone& zone : source->zones()) {
    CHECK(zone.measured);
    CHECK(zone.in_total == (zone.kind == ZoneKind::kPackage || zone.kind == ZoneKind::kDram));
    CHECK(zone.socket == (zone.kind == ZoneKind::kPsys ? -1 : 0));
  }
  std::vector<ZoneDelta> deltas(source->zones().size());
  const std::uint64_t before_first_ns = monotonic_ns();
  source->read(deltas);
  const std::uint64_t after_first_ns = monotonic_ns();
  for (const ZoneDelta& delta : deltas) {
    CHECK(delta.status == ZoneStatus::kFirst);
    CHECK(delta.energy_nj == 0);
  }
  // The counter counts 1 nJ per ns: what lies between two readings is bounded by the clock around
  // them, however late they come.
  std::vector<std::uint64_t> sums_nj(deltas.size());
  std::uint64_t before_last_ns = 0;
  for (const int pause_ms : {5, 95, 40}) {
    std::this_thread::sleep_for(std::chrono::milliseconds(pause_ms));
    before_last_ns = monotonic_ns();
    source->read(deltas);
    for (std::size_t i = 0; i < deltas.size(); ++i) {
      REQUIRE(deltas[i].status == ZoneStatus::kOk);
      CHECK(deltas[i].duration_ns >= static_cast<std::uint64_t>(pause_ms) * 1'000'000);
      sums_nj[i] += static_cast<std::uint64_t>(deltas[i].energy_nj);
    }
  }
  const std::uint64_t after_last_ns = monotonic_ns();
  for (const std::uint64_t sum_nj : sums_nj) {
    // The counter's clock and the monotonic one drift by parts per million.
    CHECK(static_cast<double>(sum_nj) >=
          static_cast<double>(before_last_ns - after_first_ns) * 0.999);
    CHECK(static_cast<double>(sum_nj) <=
          static_cast<double>(after_last_ns - before_first_ns) * 1.001);
  }
}

TEST_CASE("perf: the cpumask tells sockets and dies") {
  const FakePmu pmu;
  pmu.event("energy-pkg");
  pmu.event("energy-psys");
  if (std::thread::hardware_concurrency() < 2) {
    return;
  }
  pmu.dir.write(kPmu + std::string("cpumask"), "0-1\n");
  SUBCASE("two dies") {
    pmu.cpu(0, 0, 0);
    pmu.cpu(1, 0, 1);
    CHECK(names_of(*open_or_skip(pmu)) ==
          std::vector<std::string>{"package-0-die-0", "psys", "package-0-die-1"});
  }
  SUBCASE("two sockets") {
    pmu.cpu(0, 0, 0);
    pmu.cpu(1, 1, 0);
    const auto source = open_or_skip(pmu);
    CHECK(names_of(*source) == std::vector<std::string>{"package-0", "psys", "package-1"});
    CHECK(source->zones()[2].die == -1);
    CHECK(source->zones()[2].socket == 1);
  }
}

TEST_CASE("perf: a PMU of no use is refused") {
  const FakePmu pmu;
  const auto code = [&pmu] {
    const auto opened = PerfSource::open(pmu.root());
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().message.find(pmu.dir.path()) != std::string::npos);
    return opened.error().code;
  };
  SUBCASE("no PMU") {
    pmu.dir.remove("bus");
    CHECK(code() == ErrorCode::kNotFound);
  }
  SUBCASE("no events") {
    CHECK(code() == ErrorCode::kUnsupported);
  }
  SUBCASE("events of another kind") {
    pmu.event("energy-pkg", "config=12");
    pmu.event("energy-ram");
    pmu.dir.write(kPmu + std::string("events/energy-ram.unit"), "Watts\n");
    CHECK(code() == ErrorCode::kUnsupported);
  }
  SUBCASE("a mask that is none") {
    pmu.dir.write(kPmu + std::string("cpumask"), "all\n");
    CHECK(code() == ErrorCode::kMalformed);
  }
}

TEST_CASE("perf: an event the kernel does not know is unsupported") {
  const FakePmu pmu;
  pmu.event("energy-pkg");
  open_or_skip(pmu);
  pmu.event("energy-pkg", "event=0xffffffff");
  const auto opened = PerfSource::open(pmu.root());
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == ErrorCode::kUnsupported);
  CHECK(opened.error().message.find("energy-pkg") != std::string::npos);
}

TEST_CASE("perf: without the privilege the remedy names it") {
  const auto paranoid = read_trimmed("/proc/sys/kernel/perf_event_paranoid");
  if (!paranoid || *paranoid == "0" || *paranoid == "-1") {
    return;  // then anybody may count
  }
  const FakePmu pmu;
  pmu.event("energy-pkg");
  std::filesystem::permissions(
      pmu.dir.path(), std::filesystem::perms::others_exec | std::filesystem::perms::others_read,
      std::filesystem::perm_options::add);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const bool dropped = ::getuid() != 0 || ::setuid(65534) == 0;
    const auto choice = open_source({"perf"}, pmu.root(), {});
    const bool explained = !choice && choice.error().code == ErrorCode::kPermission &&
                           choice.error().message.find("CAP_PERFMON") != std::string::npos;
    ::_exit(dropped && explained ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

}  // namespace powertrace
