// SPDX-License-Identifier: Apache-2.0
//
// Rows: a snapshot grouped at one level. Integer sums of the tasks' nJ, so every level adds up to
// the same zones exactly. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/snapshot.hpp"

namespace powertrace {

enum class Level : std::uint8_t { kProcess, kThread, kComm, kCgroup, kContainer, kPod, kVm };

std::string_view level_name(Level level);
Result<Level> parse_level(std::string_view text);

enum class RowKind : std::uint8_t {
  kWorkload,      // what the level says
  kIdle,          // [idle]: the machine's idle power
  kKernel,        // [kernel]: kernel threads
  kPowertrace,    // [powertrace]: what watching costs
  kOther,         // [others]: at container, pod and vm level, what runs in none
  kUnattributed,  // [unattributed]: used by nobody we know
};

struct Row {
  RowKind kind = RowKind::kWorkload;
  Level level = Level::kProcess;
  // With the kind unique among the rows of a level: "tid:start" of a thread, "tgid:start" of a
  // process, a comm, a cgroup path, a container id, a pod uid, a VM's id, or "[idle]" and so on.
  std::string id;
  std::string name;  // what a person reads in the first column: comm, path, short container id, ...
  std::uint32_t pid = 0;  // tgid of processes, threads and powertrace; 0 elsewhere
  std::uint32_t tid = 0;
  std::uint32_t parent_pid = 0;
  std::uint64_t tasks = 0;                             // threads folded into this row
  std::shared_ptr<const ProcessIdentity> process;      // null where the row spans several
  std::shared_ptr<const CgroupIdentity> cgroup;        // null where the row spans several
  std::shared_ptr<const ContainerIdentity> container;  // null where none or several
  std::shared_ptr<const PodIdentity> pod;              // null where none, several, or not known
  std::shared_ptr<const VmIdentity> vm;                // null where none or several
  bool terminated = false;
  std::int64_t energy_nj = 0;         // in_total zones
  std::vector<std::int64_t> zone_nj;  // by zone
  double plus_minus_nj = 0;           // one standard deviation of energy_nj
  std::uint64_t run_ns = 0;
  std::uint64_t counted_ns = 0;
  std::uint64_t switches = 0;
  double cycles = 0;
  double instructions = 0;
};

enum class SortKey : std::uint8_t { kWatts, kJoules, kCpu, kName };
std::string_view sort_key_name(SortKey key);
Result<SortKey> parse_sort_key(std::string_view text);

// All rows of the level, workloads and named remainders, unsorted; [idle] and [unattributed] are
// always present, so that a reader can check the sum. powertrace's own tasks are the row
// [powertrace] and kernel threads the row [kernel]; at kThread each of these threads has a row of
// its own, of kind kPowertrace or kWorkload.
std::vector<Row> roll_up(const Snapshot& snapshot, Level level);

// Largest first (name: alphabetic). Stable, with the id as the last tie-break. Remainder rows sort
// like any other.
void sort_rows(std::vector<Row>& rows, SortKey key);

// Case-insensitive substring of name, comm, exe, cmdline, cgroup path, container id or name, pod
// uid, name or namespace, pid or tid. An empty filter matches every row.
bool row_matches(const Row& row, std::string_view filter);

}  // namespace powertrace
