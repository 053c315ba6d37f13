// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include <doctest/doctest.h>

#include "doctor/checks.hpp"
#include "support/fake_powercap.hpp"
#include "support/temp_dir.hpp"

namespace powertrace::doctor {
namespace {

using enum FindingStatus;

Finding find(const std::vector<Finding>& findings, const std::string& id) {
  for (const Finding& finding : findings) {
    if (finding.id == id) {
      return finding;
    }
  }
  FAIL("no finding ", id);
  return {};
}

// A source whose second reading is as told.
class ScriptedSource final : public EnergySource {
 public:
  explicit ScriptedSource(bool measured) : measured_(measured) {}
  void zone(const std::string& name, bool in_total, ZoneDelta second) {
    Zone zone;
    zone.name = name;
    zone.in_total = in_total;
    zone.measured = measured_;
    zones_.push_back(zone);
    second_.push_back(second);
  }
  [[nodiscard]] SourceInfo info() const override {
    SourceInfo info;
    info.name = "scripted";
    info.measured = measured_;
    return info;
  }
  [[nodiscard]] std::span<const Zone> zones() const override { return zones_; }
  void read(std::span<ZoneDelta> deltas) override {
    for (std::size_t i = 0; i < deltas.size(); ++i) {
      deltas[i] = reads_ == 0 ? ZoneDelta{ZoneStatus::kFirst, 0, 0, 0} : second_[i];
    }
    ++reads_;
  }
  [[nodiscard]] std::uint64_t max_interval_ns() const override { return 1; }

 private:
  bool measured_;
  int reads_ = 0;
  std::vector<Zone> zones_;
  std::vector<ZoneDelta> second_;
};

}  // namespace

TEST_CASE("doctor: a zone that moves is fine, one that stands still or fails is not") {
  ScriptedSource source(true);
  source.zone("package-0", true, {ZoneStatus::kOk, 0, 1'000'000'000, 50'000'000});
  source.zone("dram-0", true, {ZoneStatus::kOk, 0, 0, 50'000'000});
  source.zone("uncore-0", false, {ZoneStatus::kOk, 0, 0, 50'000'000});
  source.zone("package-1", true, {ZoneStatus::kUnreadable, EACCES, 0, 0});
  const auto findings = check_zones(source);
  CHECK(find(findings, "energy.zone.package-0").what == "20.00 W over 50 ms");
  CHECK(find(findings, "energy.zone.dram-0").status == kLimited);
  CHECK(find(findings, "energy.zone.uncore-0").status == kOk);  // an unused GPU may rest
  CHECK(find(findings, "energy.zone.package-1").status == kLimited);
  CHECK(find(findings, "energy.zone.package-1").what.find(std::strerror(EACCES)) !=
        std::string::npos);
}

TEST_CASE("doctor: an estimate is a limit, and every unusable source tells its remedy") {
  SourceChoice choice;
  choice.source = std::make_unique<ScriptedSource>(false);
  choice.findings = {{"powercap", false, "no zones", "modprobe intel_rapl_msr"},
                     {"scripted", true, "taken: package-0", ""}};
  const auto findings = check_sources(std::move(choice));
  CHECK(find(findings, "energy.source.powercap").status == kLimited);
  CHECK(find(findings, "energy.source.powercap").why == "no zones");
  CHECK(find(findings, "energy.source.powercap").remedy == "modprobe intel_rapl_msr");
  CHECK(find(findings, "energy.source.scripted").status == kLimited);
  CHECK(find(findings, "energy.source.scripted").remedy.find("--synthetic") != std::string::npos);
}

TEST_CASE("doctor: with a measuring source the others are not missed") {
  SourceChoice choice;
  choice.source = std::make_unique<ScriptedSource>(true);
  choice.findings = {{"perf", false, "no power PMU", "modprobe rapl"},
                     {"scripted", true, "taken: package-0", ""}};
  const auto findings = check_sources(std::move(choice));
  CHECK(find(findings, "energy.source.perf").status == kOk);
  CHECK(find(findings, "energy.source.perf").remedy.empty());
  CHECK(find(findings, "energy.source.scripted").status == kOk);
}

TEST_CASE("doctor: no source at all is fatal") {
  const Result<SourceChoice> none = fail(ErrorCode::kUnsupported, "no energy source is usable");
  CHECK(find(check_sources(none), "energy.source").status == FindingStatus::kMissing);
}

TEST_CASE("doctor: real powercap zones that rest are found out") {
  test::FakePowercap machine;
  machine.add_two_sockets();
  auto choice = open_source({"powercap"}, machine.root(), {});
  REQUIRE(choice);
  const auto findings = check_zones(*choice->source);
  CHECK(find(findings, "energy.zone.package-0").what == "the counter does not move");
  CHECK(find(findings, "energy.zone.package-1").status == kLimited);
}

TEST_CASE("doctor: SGX filters energy only if the register says so") {
  const test::TempDir dir;
  const SysRoot root{dir.path("sys"), dir.path("proc")};
  const Result<std::uint64_t> filtering = 1;
  const Result<std::uint64_t> plain = 0;
  const Result<std::uint64_t> absent = fail_errno(EIO, "cannot read");
  const Result<std::uint64_t> hidden = fail_errno(EACCES, "cannot open");
  CHECK(check_filtering(root, filtering).status == kOk);  // no cpuinfo, no SGX
  dir.write("proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu sgx lahf_lm\n");
  CHECK(check_filtering(root, filtering).status == kLimited);
  CHECK(check_filtering(root, plain).status == kOk);
  CHECK(check_filtering(root, absent).status == kOk);
  CHECK(check_filtering(root, hidden).status == kLimited);
  CHECK(check_filtering(root, hidden).remedy == "modprobe msr and run as root to know");
}

TEST_CASE("doctor: registers are read at their number's offset") {
  const test::TempDir dir;
  dir.write("msr", std::string(16, '\x01') + std::string("\x03\0\0\0\0\0\0\x80", 8));
  const auto value = read_msr(dir.path("msr"), 16);
  REQUIRE(value);
  CHECK(*value == 0x8000000000000003ULL);
  CHECK(check_limit_lock(value)->what.find("locked") != std::string::npos);
  CHECK(check_limit_lock(1U)->what.find("can be set") != std::string::npos);
  const auto beyond = read_msr(dir.path("msr"), 20);
  REQUIRE_FALSE(beyond);
  CHECK_FALSE(check_limit_lock(beyond));
  CHECK(read_msr(dir.path("absent"), 0).error().sys_errno == ENOENT);
}

}  // namespace powertrace::doctor
