// SPDX-License-Identifier: Apache-2.0
//
// A snapshot: one interval, attributed and named, immutable. Everything people or programs see is
// rendered from one of these: table, JSON, metrics. Published as shared_ptr<const Snapshot>.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/attribution.hpp"
#include "model/identity.hpp"
#include "model/ledger.hpp"
#include "model/zone.hpp"

namespace powertrace {

struct SourceInfo {
  std::string name;           // "powercap", "synthetic"
  bool measured = false;      // every zone of it
  double expected_error = 0;  // relative; 0 for a measurement
};

// One thread under one cgroup over the interval.
struct SnapshotTask {
  TaskId task;
  LedgerEntry use;
  std::shared_ptr<const ProcessIdentity> process;  // never null
  std::shared_ptr<const CgroupIdentity> cgroup;    // never null
  bool terminated = false;                         // its process ended inside the interval
  bool outside = false;                            // not of what was asked for: its row is [others]
};

// powertrace's own cost over the interval.
struct SelfCost {
  double cpu_seconds = 0;
  std::uint64_t rss_bytes = 0;
  double bpf_ns_per_switch = 0;  // mean of the sampled runs of the switch program; 0: none sampled
  std::uint64_t switches = 0;
  std::uint64_t counter_reads = 0;
  double counter_read_ns = 0;  // measured at start; 0: no counters
  std::uint64_t lost_slices = 0;
  std::uint64_t lost_events = 0;
  std::uint64_t missed_switches = 0;  // the kernel kept them from us: slices of unknown tasks
  std::int64_t energy_nj = 0;         // of powertrace's own process, in_total zones
};

struct Snapshot {
  std::uint64_t sequence = 0;
  std::uint64_t realtime_ns = 0;  // CLOCK_REALTIME at the end
  std::uint64_t start_ns = 0;     // CLOCK_MONOTONIC
  std::uint64_t end_ns = 0;
  std::uint64_t windows = 0;
  std::uint64_t capacity_ns = 0;  // online CPUs x time
  SourceInfo source;
  Model model = Model::kTime;
  IdlePolicy idle = IdlePolicy::kSeparate;
  bool idle_known = false;
  bool counters_on = false;      // cycles mean something
  bool instructions_on = false;  // instructions too: not every PMU counts them
  std::vector<Zone> zones;
  std::vector<LedgerZone> zone_use;  // parallel to zones
  std::vector<SnapshotTask> tasks;   // those that ran
  SelfCost self;
  std::uint32_t self_pid = 0;  // tgid of powertrace, for its row; no task has 0
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;

}  // namespace powertrace
