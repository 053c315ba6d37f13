// SPDX-License-Identifier: Apache-2.0
//
// The files of procfs and sysfs that say how many CPUs there are and how busy they have been.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/sysroot.hpp"
#include "support/temp_dir.hpp"

namespace powertrace::test {

class FakeCpus {
 public:
  explicit FakeCpus(std::vector<int> package_of) : cpus_(package_of.size()) {
    for (std::size_t cpu = 0; cpu < package_of.size(); ++cpu) {
      dir_.write(fmt::format("sys/devices/system/cpu/cpu{}/topology/physical_package_id", cpu),
                 fmt::format("{}\n", package_of[cpu]));
    }
    vendor("GenuineIntel");
    memory_kb(16'000'000, 8'000'000);
    write();
  }

  void vendor(const std::string& id) const {
    dir_.write("proc/cpuinfo", "processor\t: 0\nvendor_id\t: " + id + "\n");
  }
  void memory_kb(std::uint64_t total, std::uint64_t available) const {
    dir_.write("proc/meminfo",
               fmt::format("MemTotal:       {} kB\nMemFree:        {} kB\nMemAvailable:   {} kB\n",
                           total, available / 2, available));
  }

  // Lets `ticks` of 10 ms pass on one CPU, of which `busy` were.
  void run(std::size_t cpu, std::uint64_t ticks, std::uint64_t busy) {
    cpus_[cpu].busy += busy;
    cpus_[cpu].idle += ticks - busy;
  }
  void run_all(std::uint64_t ticks, std::uint64_t busy) {
    for (std::size_t cpu = 0; cpu < cpus_.size(); ++cpu) {
      run(cpu, ticks, busy);
    }
    write();
  }
  void online(std::size_t cpu, bool yes) { cpus_[cpu].online = yes; }
  void idle_back(std::size_t cpu, std::uint64_t ticks) { cpus_[cpu].idle -= ticks; }

  void write() const {
    std::string lines;
    std::uint64_t busy = 0;
    std::uint64_t idle = 0;
    for (std::size_t cpu = 0; cpu < cpus_.size(); ++cpu) {
      busy += cpus_[cpu].busy;
      idle += cpus_[cpu].idle;
      if (cpus_[cpu].online) {
        lines +=
            fmt::format("cpu{} {} 0 0 {} 0 0 0 0 0 0\n", cpu, cpus_[cpu].busy, cpus_[cpu].idle);
      }
    }
    dir_.write("proc/stat", fmt::format("cpu  {} 0 0 {} 0 0 0 0 0 0\n", busy, idle) + lines +
                                "intr 12345 0 0 7\nctxt 99\nbtime 1700000000\n");
  }

  [[nodiscard]] SysRoot root() const { return {dir_.path("sys"), dir_.path("proc")}; }
  [[nodiscard]] const TempDir& dir() const { return dir_; }

 private:
  struct Cpu {
    std::uint64_t busy = 1000;
    std::uint64_t idle = 5000;
    bool online = true;
  };
  TempDir dir_;
  std::vector<Cpu> cpus_;
};

}  // namespace powertrace::test
