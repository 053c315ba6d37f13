// SPDX-License-Identifier: Apache-2.0
//
// The account: what every workload has used since powertrace started, fed by snapshots. At every
// level the workloads, the remainders and what is gone add up to what was attributed, to the nJ. A
// workload that is no longer shown (it ended some time ago, or is one too many) takes its energy
// out of the page, where rates have counted it; a child that ended stays in its cgroup, container
// and pod. Loop thread only; view() gives others something to read.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "serve/account_view.hpp"
#include "serve/workload_filter.hpp"

namespace powertrace {

struct AccountConfig {
  bool processes = false;  // keep the level of processes, which costs the most
  bool even_idle = false;  // keep AccountTotals::idle_nj, for which processes are kept too
  std::uint64_t keep_ended_ns = 120'000'000'000;
  std::size_t max_ended = 10'000;  // processes that ended; the oldest go first
  SeriesFilter filter;
  std::int64_t min_nj = 0;                                // a workload with less is not shown
  std::size_t top = 0;                                    // workloads shown per level; 0: all
  std::size_t max_series = 0;                             // of all levels together; 0: no limit
  std::array<std::size_t, kAccountLevels> series_each{};  // what one workload of a level takes
  std::string node_name;
};

// Whether what has not run for a while is still there; nullopt: nobody can tell.
struct Liveness {
  std::function<std::optional<bool>(const ProcessIdentity&)> process;
  std::function<std::optional<bool>(const CgroupIdentity&)> cgroup;
};

class Account {
 public:
  Account(AccountConfig config, Liveness liveness);
  Account(const Account&) = delete;
  Account& operator=(const Account&) = delete;
  ~Account();

  void add(const SnapshotPtr& snapshot);

  // As of the last add(), of which there must have been one.
  [[nodiscard]] AccountViewPtr view() const;

  // From the next add() on. Nothing is lost: what is no longer shown is gone, and counted.
  void configure(AccountConfig config);

 private:
  struct Workload;
  struct Level;
  struct Place;

  void count_node(const Snapshot& snapshot);
  void count_sensors(const Snapshot& snapshot);
  void divide_kepler(const Snapshot& snapshot);
  void count_tasks(const Snapshot& snapshot);
  void count_workload(const SnapshotTask& task, const AccountTotals& delta);
  void count_even_idle();
  void count(AccountLevel which, Workload* workload, const AccountTotals& delta);

  Level& level(AccountLevel which) const { return *levels_[static_cast<std::size_t>(which)]; }
  Workload& find(AccountLevel which, const std::string& name, const WorkloadIdentity& who);
  void rename(AccountLevel which, Workload& workload, const WorkloadIdentity& who);
  Place& place(const std::shared_ptr<const CgroupIdentity>& cgroup);
  Workload* machine(const SnapshotTask& task);
  Workload* process(const SnapshotTask& task);

  void catch_up(Level& level) const;

  void sweep();
  void sweep_places();
  void sweep_level(AccountLevel which);
  void sweep_processes();
  void end(Workload& workload) const;
  void drop(Level& level, const std::string& name);
  [[nodiscard]] bool has_room(AccountLevel which) const;
  [[nodiscard]] std::size_t room(AccountLevel which, std::size_t series) const;
  void choose_shown();
  void choose_shown(AccountLevel which, std::size_t most);

  AccountConfig config_;
  Liveness liveness_;
  AccountView node_;                      // without the levels
  std::vector<bool> counts_;              // by zone: it is part of its kind's sum
  std::vector<KindEnergy> kepler_parts_;  // of the snapshot being added, by task
  KindEnergy idle_carry_nj_{};            // what did not divide evenly
  std::array<std::unique_ptr<Level>, kAccountLevels> levels_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Place>> places_;  // by cgroup id
  std::uint64_t now_ns_ = 0;    // CLOCK_MONOTONIC, end of the snapshot being added
  std::uint64_t began_ms_ = 0;  // since the epoch: its beginning
  std::uint64_t swept_ns_ = 0;
  std::uint64_t swept_processes_ns_ = 0;
  std::uint64_t chosen_ns_ = 0;
};

}  // namespace powertrace
