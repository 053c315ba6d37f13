// SPDX-License-Identifier: Apache-2.0
//
// RAPL through <sysfs>/class/powercap: control types intel-rapl (AMD uses the same name) and
// intel-rapl-mmio, which repeats a package of intel-rapl on clients. A zone whose name is already
// taken is such a repetition and is dropped; the readable one of the two stays.
// Only package and dram zones are in the total: core and uncore are parts of their package, and
// psys contains everything.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/sysroot.hpp"
#include "energy/energy_counter.hpp"
#include "energy/source.hpp"

namespace powertrace {

class PowercapSource final : public EnergySource {
 public:
  // kNotFound: no RAPL zones. kPermission: none may be read. kUnsupported: none can be read, or
  // neither a package nor a dram zone.
  static Result<std::unique_ptr<PowercapSource>> open(const SysRoot& root,
                                                      ClockFn clock = monotonic_ns);

  [[nodiscard]] SourceInfo info() const override;
  [[nodiscard]] std::span<const Zone> zones() const override { return zones_; }
  void read(std::span<ZoneDelta> deltas) override;
  [[nodiscard]] std::uint64_t max_interval_ns() const override;

 private:
  PowercapSource() = default;

  ClockFn clock_ = monotonic_ns;
  std::vector<Zone> zones_;
  std::vector<EnergyCounter> counters_;  // parallel to zones_
};

}  // namespace powertrace
