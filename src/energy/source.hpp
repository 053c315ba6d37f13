// SPDX-License-Identifier: Apache-2.0
//
// An energy source: a list of zones and a way to read all of them at one edge. Implementations:
// perf (RAPL through a PMU), powercap (RAPL through sysfs), hwmon (sensors of other processors) and
// synthetic (a formula); a new one needs only this interface and a line in registry.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/snapshot.hpp"
#include "model/zone.hpp"

namespace powertrace {

class EnergySource {
 public:
  EnergySource() = default;
  EnergySource(const EnergySource&) = delete;
  EnergySource& operator=(const EnergySource&) = delete;
  virtual ~EnergySource() = default;

  [[nodiscard]] virtual SourceInfo info() const = 0;
  [[nodiscard]] virtual std::span<const Zone> zones() const = 0;

  // Reads every zone once and writes, per zone, the energy since the previous read() (the first one
  // gives kFirst). `deltas` has zones().size() elements. One failing zone never stops the others,
  // and a zone that comes back starts again with kFirst. Loop thread only; does not allocate.
  virtual void read(std::span<ZoneDelta> deltas) = 0;

  // A zone's idle power where the source knows it, as a formula does; nullopt: to be learned.
  [[nodiscard]] virtual std::optional<std::int64_t> idle_milliwatts(std::size_t /*zone*/) const {
    return std::nullopt;
  }

  // The longest time between two read() calls that keeps every wrap unambiguous, in ns.
  [[nodiscard]] virtual std::uint64_t max_interval_ns() const = 0;
};

// Why a source was or was not taken, for people: `powertrace doctor` prints these.
struct SourceFinding {
  std::string source;
  bool usable = false;
  std::string reason;
  std::string remedy;  // empty if there is none
};

}  // namespace powertrace
