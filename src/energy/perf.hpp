// SPDX-License-Identifier: Apache-2.0
//
// RAPL through the perf "power" PMU: one counter per event and per CPU of the PMU's cpumask. Finer
// than powercap (2^-32 J instead of 1 uJ steps), 64 bits wide, and a privilege less than root.
// energy-gpu is the graphics part of the package, so it is the zone that powercap calls uncore.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/sysroot.hpp"
#include "energy/energy_counter.hpp"
#include "energy/source.hpp"

namespace powertrace {

class PerfSource final : public EnergySource {
 public:
  // kNotFound: no power PMU. kUnsupported: it has no energy events, or none for package or dram.
  // kPermission: perf_event_paranoid forbids it.
  static Result<std::unique_ptr<PerfSource>> open(const SysRoot& root,
                                                  ClockFn clock = monotonic_ns);

  [[nodiscard]] SourceInfo info() const override;
  [[nodiscard]] std::span<const Zone> zones() const override { return zones_; }
  void read(std::span<ZoneDelta> deltas) override;
  [[nodiscard]] std::uint64_t max_interval_ns() const override;

 private:
  struct Counter {
    UniqueFd fd;
    long double nj_per_count = 0;
    bool has_previous = false;
    std::uint64_t previous = 0;
    std::uint64_t previous_ns = 0;
  };

  PerfSource() = default;
  void read_counter(Counter& counter, ZoneDelta& delta) const;

  ClockFn clock_ = monotonic_ns;
  std::vector<Zone> zones_;
  std::vector<Counter> counters_;  // parallel to zones_
};

}  // namespace powertrace
