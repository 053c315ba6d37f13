// SPDX-License-Identifier: Apache-2.0
//
// Processors that report energy or power through <sysfs>/class/hwmon: AMD servers with amd_energy,
// Ampere and X-Gene, NVIDIA Grace. Only sensors known to be a processor's count: hwmon also has
// disks, batteries and power supplies. A sensor of power is integrated over time, by trapezoids, so
// that its zones are as good as its refresh is quick.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/sysroot.hpp"
#include "energy/energy_counter.hpp"
#include "energy/source.hpp"

namespace powertrace {

// Power as the integral of a sensor in microwatts. Loop thread only.
class PowerSensor {
 public:
  explicit PowerSensor(ValueFile file) : file_(std::move(file)) {}

  int probe(ClockFn clock);
  void read(ClockFn clock, ZoneDelta& delta);

 private:
  ValueFile file_;
  bool has_previous_ = false;
  std::uint64_t previous_uw_ = 0;
  std::uint64_t previous_ns_ = 0;
};

class HwmonSource final : public EnergySource {
 public:
  // kNotFound: no sensor of a processor. kPermission: none may be read. kUnsupported: none can.
  static Result<std::unique_ptr<HwmonSource>> open(const SysRoot& root,
                                                   ClockFn clock = monotonic_ns);

  [[nodiscard]] SourceInfo info() const override { return {"hwmon", true, 0}; }
  [[nodiscard]] std::span<const Zone> zones() const override { return zones_; }
  void read(std::span<ZoneDelta> deltas) override;
  [[nodiscard]] std::uint64_t max_interval_ns() const override;

 private:
  // One of the two.
  struct Meter {
    std::unique_ptr<EnergyCounter> counter;
    std::unique_ptr<PowerSensor> sensor;
  };
  HwmonSource() = default;

  ClockFn clock_ = monotonic_ns;
  std::vector<Zone> zones_;
  std::vector<Meter> meters_;  // parallel to zones_
};

}  // namespace powertrace
