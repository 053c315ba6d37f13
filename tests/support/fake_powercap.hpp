// SPDX-License-Identifier: Apache-2.0
//
// A sysfs tree with RAPL zones in a temporary directory, and what can happen to them. A zone goes
// by its directory, "intel-rapl:0:1". Energies are written in place, so that a reader with an open
// file in another process never sees half a number.
#pragma once

#include <cstdint>
#include <fstream>
#include <map>
#include <string>

#include <fmt/format.h>

#include "base/sysroot.hpp"
#include "support/temp_dir.hpp"

namespace powertrace::test {

class FakePowercap {
 public:
  static constexpr std::uint64_t kServerRangeUj = 262'143'328'850;  // unit 2^-14 J
  static constexpr std::uint64_t kFineRangeUj = 65'712'999'613;     // unit 15.3 uJ

  FakePowercap() { dir_.write("class/powercap/intel-rapl/enabled", "1\n"); }

  // psys, and per socket a package with core, uncore and dram: energies as the caller advances
  // them.
  void add_two_sockets() {
    for (int socket = 0; socket < 2; ++socket) {
      const std::string package = fmt::format("intel-rapl:{}", socket);
      add(package, fmt::format("package-{}", socket));
      constraint(package, 0, "long_term", 205'000'000, 205'000'000);
      add(package + ":0", "core");
      add(package + ":1", "uncore");
      add(package + ":2", "dram", kFineRangeUj);
    }
    add("intel-rapl:2", "psys");
  }

  void add(const std::string& zone,
           const std::string& name,
           std::uint64_t range_uj = kServerRangeUj,
           std::uint64_t energy_uj = 0) {
    dir_.write(file(zone, "name"), name + "\n");
    dir_.write(file(zone, "enabled"), "1\n");
    dir_.write(file(zone, "max_energy_range_uj"), fmt::format("{}\n", range_uj));
    zones_[zone] = {name, range_uj, energy_uj};
    set_energy(zone, energy_uj);
  }

  void constraint(const std::string& zone,
                  int number,
                  const std::string& name,
                  std::uint64_t power_limit_uw,
                  std::uint64_t max_power_uw) const {
    const std::string prefix = fmt::format("constraint_{}_", number);
    dir_.write(file(zone, prefix + "name"), name + "\n");
    dir_.write(file(zone, prefix + "power_limit_uw"), fmt::format("{}\n", power_limit_uw));
    dir_.write(file(zone, prefix + "time_window_us"), "999424\n");
    dir_.write(file(zone, prefix + "max_power_uw"), fmt::format("{}\n", max_power_uw));
  }

  void set_energy(const std::string& zone, std::uint64_t energy_uj) {
    zones_.at(zone).energy_uj = energy_uj;
    const std::string path = dir_.path(file(zone, "energy_uj"));
    std::fstream out(path, std::ios::in | std::ios::out | std::ios::binary);
    if (!out) {
      dir_.remove(file(zone, "energy_uj"));
      out.open(path, std::ios::out | std::ios::binary);
    }
    out << fmt::format("{:<20}\n", energy_uj);
  }

  // Adds energy and wraps at the zone's range as the driver does.
  void advance(const std::string& zone, std::uint64_t delta_uj) {
    const State& state = zones_.at(zone);
    set_energy(zone, (state.energy_uj + delta_uj) % state.range_uj);
  }

  // Readers get EISDIR: root may read any file, so mode bits would do nothing. Undone by
  // set_energy().
  void make_unreadable(const std::string& zone) const {
    dir_.remove(file(zone, "energy_uj"));
    dir_.write(file(zone, "energy_uj") + "/not-a-file", "");
  }
  void make_garbage(const std::string& zone, const std::string& text) const {
    dir_.write(file(zone, "energy_uj"), text);
  }
  void vanish(const std::string& zone) const { dir_.remove("class/powercap/" + zone); }
  void reappear(const std::string& zone) {
    const State state = zones_.at(zone);
    add(zone, state.name, state.range_uj, state.energy_uj);
  }

  [[nodiscard]] SysRoot root() const { return {dir_.path(), dir_.path("proc")}; }
  [[nodiscard]] const TempDir& dir() const { return dir_; }

 private:
  struct State {
    std::string name;
    std::uint64_t range_uj = 0;
    std::uint64_t energy_uj = 0;
  };
  static std::string file(const std::string& zone, const std::string& name) {
    return "class/powercap/" + zone + "/" + name;
  }

  TempDir dir_;
  std::map<std::string, State> zones_;
};

}  // namespace powertrace::test
