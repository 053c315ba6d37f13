// SPDX-License-Identifier: Apache-2.0
//
// A ledger adds up attributed windows: per task and cgroup what it used, per zone what there was.
// imbalance_nj() proves that nothing was made or lost. One ledger spans one interval (top) or one
// run (stat). Pure; single-threaded.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

#include "model/attribution.hpp"
#include "model/window.hpp"

namespace powertrace {

struct LedgerKey {
  TaskId task;
  std::uint64_t cgroup_id = 0;
  bool operator==(const LedgerKey&) const = default;
};

struct LedgerKeyHash {
  std::size_t operator()(const LedgerKey& key) const noexcept {
    return std::hash<TaskId>{}(key.task) ^ (key.cgroup_id * 0xD1B54A32D192ED03ULL);
  }
};

struct LedgerEntry {
  std::uint32_t tgid = 0;
  Comm comm{};  // the latest
  bool kernel_thread = false;
  std::uint64_t switches = 0;
  std::uint64_t run_ns = 0;
  std::uint64_t counted_ns = 0;
  double cycles = 0;                    // of all of run_ns, as CounterRates estimates it per window
  double instructions = 0;              // the same
  double guess_var_nj2 = 0;             // variance of the in_total energy from guessed rates, nJ^2
  std::vector<std::int64_t> energy_nj;  // by zone
};

struct LedgerZone {
  std::int64_t energy_nj = 0;  // all of it: tasks + idle + unattributed
  std::int64_t idle_nj = 0;
  std::int64_t unattributed_nj = 0;
  std::uint64_t duration_ns = 0;           // of the windows in which the zone was kOk
  ZoneStatus status = ZoneStatus::kFirst;  // of the latest window
  int sys_errno = 0;
};

class Ledger {
 public:
  explicit Ledger(std::size_t zone_count);

  // Adds one window and its attribution. `zones` tells which zones are in the total (for the
  // uncertainty).
  void add(const Window& window, const Attribution& attribution, std::span<const Zone> zones);

  // The same with tasks put together: each goes to the entry whose key `group` gives it.
  using Grouping = std::function<LedgerKey(const TaskUse&)>;
  void add(const Window& window,
           const Attribution& attribution,
           std::span<const Zone> zones,
           const Grouping& group);
  void clear();

  [[nodiscard]] const std::unordered_map<LedgerKey, LedgerEntry, LedgerKeyHash>& entries() const {
    return entries_;
  }
  [[nodiscard]] std::span<const LedgerZone> zones() const { return zones_; }
  [[nodiscard]] std::uint64_t start_ns() const { return start_ns_; }
  [[nodiscard]] std::uint64_t end_ns() const { return end_ns_; }
  [[nodiscard]] std::uint64_t windows() const { return windows_; }
  [[nodiscard]] std::uint64_t capacity_ns() const { return capacity_ns_; }
  [[nodiscard]] std::uint64_t lost_ns() const { return lost_ns_; }

  // Sum over entries + idle + unattributed - energy of the zone: 0, or the code is wrong.
  [[nodiscard]] std::int64_t imbalance_nj(std::size_t zone) const;

 private:
  std::unordered_map<LedgerKey, LedgerEntry, LedgerKeyHash> entries_;
  std::vector<LedgerZone> zones_;
  std::uint64_t start_ns_ = 0;
  std::uint64_t end_ns_ = 0;
  std::uint64_t windows_ = 0;
  std::uint64_t capacity_ns_ = 0;
  std::uint64_t lost_ns_ = 0;
};

}  // namespace powertrace
