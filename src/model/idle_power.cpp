// SPDX-License-Identifier: Apache-2.0
#include "model/idle_power.hpp"

#include <algorithm>
#include <cmath>

namespace powertrace {
namespace {

constexpr double kMaxBusy = 0.02;
constexpr std::uint64_t kStretchNs = 1'000'000'000;
constexpr std::size_t kStretches = 64;

bool nearly_idle(std::uint64_t busy_ns, std::uint64_t capacity_ns) {
  return static_cast<double>(busy_ns) < kMaxBusy * static_cast<double>(capacity_ns);
}

// Tells which sockets, and as the last element whether the whole node, did next to nothing.
void find_idle_sockets(const Window& window, std::vector<bool>& result) {
  std::uint64_t node_busy_ns = 0;
  std::uint64_t node_capacity_ns = 0;
  result.clear();
  for (std::size_t s = 0; s < window.sockets.size(); ++s) {
    const SocketWindow& socket = window.sockets[s];
    std::uint64_t busy_ns = socket.lost_ns;
    for (const TaskUse& task : window.tasks) {
      busy_ns += task.socket == static_cast<std::int64_t>(s) ? task.run_ns : 0;
    }
    node_busy_ns += busy_ns;
    node_capacity_ns += socket.capacity_ns;
    result.push_back(nearly_idle(busy_ns, socket.capacity_ns));
  }
  result.push_back(nearly_idle(node_busy_ns, node_capacity_ns));
}

}  // namespace

IdlePower::IdlePower(std::size_t zone_count) : states_(zone_count), milliwatts_(zone_count) {}

void IdlePower::set(std::size_t zone, std::int64_t milliwatts) {
  states_[zone].fixed = true;
  milliwatts_[zone] = milliwatts;
}

void IdlePower::observe(const Window& window, std::span<const Zone> zones) {
  find_idle_sockets(window, nearly_idle_);
  for (std::size_t i = 0; i < std::min({states_.size(), zones.size(), window.zones.size()}); ++i) {
    ZoneState& state = states_[i];
    const ZoneDelta& delta = window.zones[i];
    const std::size_t where =
        zones[i].socket < 0 ? window.sockets.size() : static_cast<std::size_t>(zones[i].socket);
    if (state.fixed || delta.status != ZoneStatus::kOk || where >= nearly_idle_.size() ||
        !nearly_idle_[where]) {
      continue;
    }
    state.open.energy_nj += usable_energy_nj(delta);
    state.open.duration_ns += delta.duration_ns;
    if (state.open.duration_ns < kStretchNs) {
      continue;
    }
    // nJ per ns are W. In double: the integer product could overflow after a long pause.
    state.recent_mw.push_back(std::llround(static_cast<double>(state.open.energy_nj) * 1000.0 /
                                           static_cast<double>(state.open.duration_ns)));
    state.open = {};
    if (state.recent_mw.size() > kStretches) {
      state.recent_mw.pop_front();
    }
    milliwatts_[i] = *std::min_element(state.recent_mw.begin(), state.recent_mw.end());
  }
}

}  // namespace powertrace
