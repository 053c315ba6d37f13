// SPDX-License-Identifier: Apache-2.0
//
// The account at one moment, immutable: what pages and answers are made of. Published by the loop,
// read by any thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/snapshot.hpp"
#include "serve/totals.hpp"

namespace powertrace {

enum class AccountLevel : std::uint8_t { kCgroup, kContainer, kPod, kVm, kProcess };
inline constexpr std::size_t kAccountLevels = 5;

std::string_view account_level_name(AccountLevel level);  // "cgroup", ...
Result<AccountLevel> parse_account_level(std::string_view text);

// Who a workload is, as far as it is known by now. What does not apply is null.
struct WorkloadIdentity {
  std::shared_ptr<const ProcessIdentity> process;
  std::shared_ptr<const CgroupIdentity> cgroup;  // where it runs, or ran last
  std::shared_ptr<const VmIdentity> vm;
};

// Labels as they stand in a metrics page, by schema, without braces.
struct WorkloadLabels {
  std::string own;
  std::string kepler2;
  std::string kepler1;
};

struct WorkloadView {
  std::shared_ptr<const WorkloadLabels> labels;
  WorkloadIdentity who;
  AccountUsage use;
  std::uint64_t created_ms = 0;  // since the epoch: when its counters began
  bool terminated = false;
};

struct LevelView {
  std::vector<WorkloadView> workloads;  // those that are shown
  // The remainders, by name; with the workloads they make up what was attributed, exactly.
  AccountUsage kernel;      // kernel threads
  AccountUsage powertrace;  // what watching costs
  AccountUsage outside;     // of no workload of this level: not in a container, ...
  AccountUsage folded;      // of workloads while they are not shown, or that came and went at once
  AccountTotals gone;       // of workloads that are no longer shown; part of no series
  std::size_t hidden = 0;   // workloads that exist and are not shown
};

struct SensorView {
  Zone zone;
  ZoneStatus status = ZoneStatus::kFirst;
  bool counts = false;  // it is part of its kind's sum
  std::int64_t energy_nj = 0;
  std::uint64_t failures = 0;  // snapshots in which it gave no energy
  double watts = 0;            // over the last snapshot
};

// What the losses and powertrace's own cost add up to since the start.
struct SelfTotals {
  double cpu_seconds = 0;
  std::int64_t energy_nj = 0;
  std::uint64_t switches = 0;
  std::uint64_t counter_reads = 0;
  std::uint64_t lost_slices = 0;
  std::uint64_t lost_events = 0;
  std::uint64_t missed_switches = 0;
  std::uint64_t windows = 0;
};

struct AccountView {
  SnapshotPtr snapshot;        // the last one that went in
  std::uint64_t start_ms = 0;  // since the epoch
  std::vector<SensorView> sensors;
  std::array<bool, kZoneKinds> has_kind{};
  KindEnergy energy_nj{};
  KindEnergy idle_nj{};
  KindEnergy unattributed_nj{};
  KindEnergy kepler_active_nj{};
  KindEnergy last_energy_nj{};
  KindEnergy last_idle_nj{};
  KindEnergy last_kepler_active_nj{};
  AccountTotals used;  // by all workloads together
  std::uint64_t capacity_ns = 0;
  double usage_ratio = 0;  // CPU time used of what there was, over the last snapshot
  SelfTotals self;
  std::array<LevelView, kAccountLevels> levels;

  [[nodiscard]] const LevelView& level(AccountLevel which) const {
    return levels[static_cast<std::size_t>(which)];
  }
  [[nodiscard]] double seconds() const {
    return static_cast<double>(snapshot->end_ns - snapshot->start_ns) / 1e9;
  }
};

using AccountViewPtr = std::shared_ptr<const AccountView>;

}  // namespace powertrace
