// SPDX-License-Identifier: Apache-2.0
#include "model/ledger.hpp"

#include <algorithm>

namespace powertrace {
namespace {

// The variance of a task's energy in one window that comes from run time nobody counted.
double guess_variance(const TaskUse& task, double energy_nj, double rate_spread) {
  if (task.counted_ns >= task.run_ns) {
    return 0;
  }
  const double guessed_share =
      1 - static_cast<double>(task.counted_ns) / static_cast<double>(task.run_ns);
  const double sigma_nj = energy_nj * rate_spread * guessed_share;
  return sigma_nj * sigma_nj;
}

}  // namespace

Ledger::Ledger(std::size_t zone_count) : zones_(zone_count) {}

void Ledger::add(const Window& window,
                 const Attribution& attribution,
                 std::span<const Zone> zones) {
  add(window, attribution, zones, [](const TaskUse& task) {
    return LedgerKey{task.task, task.cgroup_id};
  });
}

void Ledger::add(const Window& window,
                 const Attribution& attribution,
                 std::span<const Zone> zones,
                 const Grouping& group) {
  start_ns_ = windows_ == 0 ? window.start_ns : start_ns_;
  end_ns_ = window.end_ns;
  ++windows_;
  for (const SocketWindow& socket : window.sockets) {
    capacity_ns_ += socket.capacity_ns;
    lost_ns_ += socket.lost_ns;
  }
  for (std::size_t z = 0; z < std::min(zones_.size(), window.zones.size()); ++z) {
    const ZoneDelta& delta = window.zones[z];
    LedgerZone& zone = zones_[z];
    zone.energy_nj += usable_energy_nj(delta);
    zone.idle_nj += attribution.remainders[z].idle_nj;
    zone.unattributed_nj += attribution.remainders[z].unattributed_nj;
    zone.duration_ns += delta.status == ZoneStatus::kOk ? delta.duration_ns : 0;
    zone.status = delta.status;
    zone.sys_errno = delta.sys_errno;
  }
  for (std::size_t i = 0; i < window.tasks.size(); ++i) {
    const TaskUse& task = window.tasks[i];
    LedgerEntry& entry = entries_[group(task)];
    entry.tgid = task.tgid;
    entry.comm = task.comm;
    entry.kernel_thread = task.kernel_thread;
    entry.switches += task.switches;
    entry.run_ns += task.run_ns;
    entry.counted_ns += task.counted_ns;
    entry.cycles += attribution.estimates[i].cycles;
    entry.instructions += attribution.estimates[i].instructions;
    entry.energy_nj.resize(zones_.size());
    const std::span<const std::int64_t> energy_nj = attribution.task(i);
    double in_total_nj = 0;
    for (std::size_t z = 0; z < zones_.size(); ++z) {
      entry.energy_nj[z] += energy_nj[z];
      in_total_nj += zones[z].in_total ? static_cast<double>(energy_nj[z]) : 0;
    }
    entry.guess_var_nj2 += guess_variance(task, in_total_nj, attribution.rate_spread);
  }
}

void Ledger::clear() {
  *this = Ledger(zones_.size());
}

std::int64_t Ledger::imbalance_nj(std::size_t zone) const {
  std::int64_t sum = zones_[zone].idle_nj + zones_[zone].unattributed_nj;
  for (const auto& [key, entry] : entries_) {
    sum += entry.energy_nj[zone];
  }
  return sum - zones_[zone].energy_nj;
}

}  // namespace powertrace
