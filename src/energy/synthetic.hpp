// SPDX-License-Identifier: Apache-2.0
//
// The estimate for machines without a counter: watts as a function of load, integrated on
// CLOCK_MONOTONIC. Zones: package-<socket> for every physical package, which share the power at
// rest by CPUs and the rest by busy time, and one dram; together they are exactly the node's
// energy.
#pragma once

#include <memory>
#include <vector>

#include "base/fd.hpp"
#include "energy/cpu_load.hpp"
#include "energy/energy_counter.hpp"
#include "energy/source.hpp"
#include "energy/synthetic_config.hpp"

namespace powertrace {

class SyntheticSource final : public EnergySource {
 public:
  static Result<std::unique_ptr<SyntheticSource>> open(const SysRoot& root,
                                                       const SyntheticConfig& config,
                                                       ClockFn clock = monotonic_ns);

  [[nodiscard]] SourceInfo info() const override;
  [[nodiscard]] std::span<const Zone> zones() const override { return zones_; }
  // All zones together: a formula without its load has nothing to say about any of them.
  void read(std::span<ZoneDelta> deltas) override;
  [[nodiscard]] std::optional<std::int64_t> idle_milliwatts(std::size_t zone) const override;
  [[nodiscard]] std::uint64_t max_interval_ns() const override;

 private:
  SyntheticSource(ClockFn clock, CpuLoad load, const SyntheticModel& model);
  int read_inputs(std::uint64_t now_ns);
  int read_memory();
  void split(const NodePower& power, std::int64_t energy_nj, std::span<ZoneDelta> deltas) const;

  ClockFn clock_;
  CpuLoad load_;
  SyntheticModel model_;
  UniqueFd meminfo_;
  double used_gb_ = 0;
  std::vector<Zone> zones_;  // packages in the order of load_.packages(), then dram
  bool has_previous_ = false;
  std::uint64_t previous_ns_ = 0;
  double carry_nj_ = 0;  // below 1 nJ, so that short windows add up to the long one
};

}  // namespace powertrace
