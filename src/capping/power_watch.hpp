// SPDX-License-Identifier: Apache-2.0
//
// Whether a limit does what it says: measured power of a zone against its limit. A limit holds on
// average over its window, so one interval above it means nothing. Pure.
#pragma once

#include <cstdint>
#include <optional>

namespace powertrace {

class PowerWatch {
 public:
  explicit PowerWatch(std::optional<std::uint64_t> range_uj) : range_uj_(range_uj) {}

  // A reading of the zone's energy counter, on a monotonic clock.
  void add(double mono_s, std::uint64_t energy_uj, double limit_w);

  [[nodiscard]] std::optional<double> watts() const { return watts_; }
  // False after three intervals in a row more than a tenth above the limit; nullopt: not yet known.
  [[nodiscard]] std::optional<bool> effective() const { return effective_; }

 private:
  std::optional<std::uint64_t> range_uj_;
  std::optional<double> last_s_;
  std::uint64_t last_uj_ = 0;
  double last_limit_w_ = 0;
  int above_ = 0;
  int intervals_ = 0;
  std::optional<double> watts_;
  std::optional<bool> effective_;
};

}  // namespace powertrace
