// SPDX-License-Identifier: Apache-2.0
//
// Idle power per zone: given by hand, or learned as the lowest power seen while the machine was
// nearly idle. Until known it is absent, never the residual (1 - utilisation) x power.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "model/window.hpp"
#include "model/zone.hpp"

namespace powertrace {

class IdlePower {
 public:
  explicit IdlePower(std::size_t zone_count);

  // Fixes a zone's idle power; observe() then leaves it alone.
  void set(std::size_t zone, std::int64_t milliwatts);

  // Folds in one window. Only windows in which the zone's socket (node zones: all sockets) was busy
  // less than 2 % of its capacity count, and at least 1 s of them must have been seen before a
  // value is given. The value is the minimum over the last 64 such stretches of about 1 s, so that
  // one noisy reading does not last for ever.
  void observe(const Window& window, std::span<const Zone> zones);

  // By zone; nullopt while unknown.
  [[nodiscard]] const std::vector<std::optional<std::int64_t>>& milliwatts() const {
    return milliwatts_;
  }

 private:
  struct Stretch {
    std::int64_t energy_nj = 0;
    std::uint64_t duration_ns = 0;
  };
  struct ZoneState {
    bool fixed = false;
    Stretch open;
    std::deque<std::int64_t> recent_mw;
  };
  std::vector<ZoneState> states_;
  std::vector<std::optional<std::int64_t>> milliwatts_;
  std::vector<bool> nearly_idle_;  // scratch: by socket, and as the last element the node
};

}  // namespace powertrace
