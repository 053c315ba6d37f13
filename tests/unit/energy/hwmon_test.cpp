// SPDX-License-Identifier: Apache-2.0
#include "energy/hwmon.hpp"

#include <cerrno>
#include <filesystem>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "support/temp_dir.hpp"
#include "support/test_clock.hpp"
#include "support/units.hpp"

namespace powertrace {
namespace {

using powertrace::test::kSecond;
using powertrace::test::test_clock;
using powertrace::test::test_now_ns;

// class/hwmon with chips; a value is set by its file.
struct Tree {
  test::TempDir dir;
  Tree() { chip("hwmon0", "nvme"), set("hwmon0/temp1_input", "35000"); }
  void set(const std::string& file, const std::string& text) const {
    dir.write("class/hwmon/" + file, text + "\n");
  }
  void chip(const std::string& entry, const std::string& name) const { set(entry + "/name", name); }
  [[nodiscard]] Result<std::unique_ptr<HwmonSource>> open() const {
    SysRoot root;
    root.sysfs = dir.path();
    test_now_ns = kSecond;
    return HwmonSource::open(root, test_clock);
  }
};

std::vector<std::string> names_of(const EnergySource& source) {
  std::vector<std::string> names;
  for (const Zone& zone : source.zones()) {
    names.push_back(zone.name + (zone.in_total ? "+" : ""));
  }
  return names;
}

using Names = std::vector<std::string>;

void add_grace(const Tree& tree) {
  int chip = 1;
  for (int socket = 0; socket < 2; ++socket) {
    for (const char* what : {"Module", "Grace", "CPU", "SysIO"}) {
      const std::string dir = fmt::format("hwmon{}/device", chip++);
      tree.set(dir + "/name", "power_meter");
      tree.set(dir + "/power1_oem_info", fmt::format("{} Power Socket {}", what, socket));
      tree.set(dir + "/power1_average", "100000000");
    }
  }
}

}  // namespace

TEST_CASE("hwmon: sockets of amd_energy are packages, other chips are nobody's") {
  const Tree tree;
  tree.chip("hwmon1", "amd_energy");
  tree.set("hwmon1/energy1_label", "Ecore000");
  tree.set("hwmon1/energy1_input", "5");
  tree.set("hwmon1/energy2_label", "Esocket0");
  tree.set("hwmon1/energy2_input", "1000000");
  tree.set("hwmon1/energy3_label", "Esocket1");
  tree.set("hwmon1/energy3_input", "9000000");
  tree.chip("hwmon2", "corsairpsu");
  tree.set("hwmon2/power1_label", "CPU power");
  tree.set("hwmon2/power1_input", "7000000");
  const auto source = tree.open();
  REQUIRE(source);
  CHECK(names_of(**source) == Names{"package-0+", "package-1+"});
  CHECK((*source)->zones()[1].socket == 1);
  std::vector<ZoneDelta> deltas(2);
  (*source)->read(deltas);
  CHECK(deltas[0].status == ZoneStatus::kFirst);
  test_now_ns += kSecond;
  tree.set("hwmon1/energy2_input", "3500000");
  (*source)->read(deltas);
  CHECK(deltas[0].status == ZoneStatus::kOk);
  CHECK(deltas[0].energy_nj == 2'500'000'000);
  CHECK(deltas[1].energy_nj == 0);
  // It does not wrap: a smaller value is a driver that was loaded again.
  tree.set("hwmon1/energy2_input", "1");
  test_now_ns += kSecond;
  (*source)->read(deltas);
  CHECK(deltas[0].status == ZoneStatus::kAmbiguous);
}

TEST_CASE("hwmon: power is integrated by trapezoids") {
  const Tree tree;
  tree.chip("hwmon3", "apm_xgene");
  tree.set("hwmon3/power1_label", "CPU power");
  tree.set("hwmon3/power1_input", "20000000");
  tree.set("hwmon3/power2_label", "IO power");
  tree.set("hwmon3/power2_input", "5000000");
  const auto source = tree.open();
  REQUIRE(source);
  CHECK(names_of(**source) == Names{"package-0+", "package-0-io+"});
  std::vector<ZoneDelta> deltas(2);
  (*source)->read(deltas);
  tree.set("hwmon3/power1_input", "40000000");
  test_now_ns += kSecond / 2;
  (*source)->read(deltas);
  CHECK(deltas[0].energy_nj == 15'000'000'000);  // 20 W to 40 W in half a second
  CHECK(deltas[0].duration_ns == kSecond / 2);
  CHECK(deltas[1].energy_nj == 2'500'000'000);
  // A reading that makes no sense is no energy, and rubbish is unreadable.
  tree.set("hwmon3/power1_input", "18446744073709551615");
  test_now_ns += kSecond;
  (*source)->read(deltas);
  CHECK(deltas[0].status == ZoneStatus::kAmbiguous);
  tree.set("hwmon3/power1_input", "-3");
  (*source)->read(deltas);
  CHECK(deltas[0].status == ZoneStatus::kUnreadable);
  CHECK(deltas[0].sys_errno == EINVAL);
  tree.set("hwmon3/power1_input", "1000000");
  test_now_ns += kSecond;
  (*source)->read(deltas);
  CHECK(deltas[0].status == ZoneStatus::kFirst);
}

TEST_CASE("hwmon: on Grace a socket is counted once") {
  const Tree tree;
  add_grace(tree);
  const auto source = tree.open();
  REQUIRE(source);
  CHECK(names_of(**source) == Names{"package-0+", "core-0", "uncore-0", "platform-0", "package-1+",
                                    "core-1", "uncore-1", "platform-1"});
  // A chip that goes and comes back as another one is not mistaken for it.
  std::vector<ZoneDelta> deltas(8);
  (*source)->read(deltas);
  std::filesystem::remove_all(std::filesystem::path(tree.dir.path()) / "class/hwmon/hwmon2");
  (*source)->read(deltas);
  CHECK(deltas[0].status == ZoneStatus::kGone);
  tree.set("hwmon2/device/name", "power_meter");
  tree.set("hwmon2/device/power1_oem_info", "Grace Power Socket 1");
  tree.set("hwmon2/device/power1_average", "100000000");
  test_now_ns += 2 * kSecond;
  (*source)->read(deltas);
  CHECK(deltas[0].status == ZoneStatus::kGone);
  CHECK(deltas[4].status == ZoneStatus::kOk);
}

TEST_CASE("hwmon: what is of no processor, or says nothing, is refused with the reason") {
  const Tree tree;
  const auto none = tree.open();
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ErrorCode::kNotFound);
  // The meter of a whole machine has no such label.
  tree.set("hwmon1/device/name", "power_meter");
  tree.set("hwmon1/device/power1_oem_info", "");
  tree.set("hwmon1/device/power1_average", "100000000");
  CHECK(tree.open().error().code == ErrorCode::kNotFound);
  tree.set("hwmon1/device/power1_oem_info", "Grace Power Socket zero");
  CHECK(tree.open().error().code == ErrorCode::kNotFound);
  tree.set("hwmon1/device/power1_oem_info", "Grace Power Socket 0");
  tree.set("hwmon1/device/power1_average", "");
  const auto silent = tree.open();
  REQUIRE_FALSE(silent);
  CHECK(silent.error().code == ErrorCode::kUnsupported);
}

}  // namespace powertrace
