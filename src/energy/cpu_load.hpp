// SPDX-License-Identifier: Apache-2.0
//
// How busy the CPUs are, from <procfs>/stat: busy = wall time - (idle + iowait + steal). The kernel
// keeps idle time in ns (tickless idle) and only prints it in 10 ms ticks, so the difference is
// good to one tick for the whole node. User and system columns are sampled at the tick on most
// kernels, and /proc/schedstat credits a task only when it is switched out, so neither is better.
// Owned by one source; loop thread only.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "base/sysroot.hpp"

namespace powertrace {

class CpuLoad {
 public:
  // Reads <procfs>/stat once as the starting point, and which CPU is in which package.
  static Result<CpuLoad> open(const SysRoot& root, std::uint64_t now_ns);

  // Brings the load up to date; 0 or the errno. It holds the last value until the one-tick error of
  // a new one is small (2.6 % on average), while CPUs come and go, and while the file stands still.
  int update(std::uint64_t now_ns);

  [[nodiscard]] double load() const { return load_; }  // [0, 1] over all online CPUs
  [[nodiscard]] unsigned cpus() const { return online_; }
  [[nodiscard]] const std::vector<int>& packages() const { return packages_; }
  // Of packages()[i]: its part of all CPUs and of all busy time; each adds up to 1.
  [[nodiscard]] double cpu_share(std::size_t i) const { return cpu_share_[i]; }
  [[nodiscard]] double busy_share(std::size_t i) const { return busy_share_[i]; }

 private:
  struct Cpu {
    std::size_t package = 0;  // index into packages_
    bool online = false;
    std::uint64_t rest_ticks = 0;  // idle + iowait + steal
  };
  struct Sample {
    std::uint64_t now_ns = 0;
    std::uint64_t rest_ticks = 0;
    std::uint64_t all_ticks = 0;
    unsigned online = 0;
    std::vector<Cpu> cpus;
  };

  CpuLoad() = default;
  void find_packages(const SysRoot& root);
  int read_sample(std::uint64_t now_ns, Sample& sample);
  int parse(std::string_view text, Sample& sample) const;
  [[nodiscard]] bool same_cpus() const;
  void measure_load();
  void measure_packages();
  [[nodiscard]] std::uint64_t horizon_ns() const;

  UniqueFd fd_;
  std::vector<char> buffer_;
  std::uint64_t tick_ns_ = 10'000'000;
  std::vector<int> packages_;
  std::vector<double> cpu_share_;
  std::vector<double> busy_share_;
  Sample anchor_;
  Sample latest_;
  unsigned online_ = 1;
  double load_ = 0;
  bool known_ = false;
};

}  // namespace powertrace
