// SPDX-License-Identifier: Apache-2.0
//
// Snapshots made by hand, for the interactive screen.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/snapshot.hpp"

namespace powertrace::test {

struct Proc {
  std::uint32_t pid = 0;
  std::uint32_t parent = 1;
  std::string comm;
  std::string cmdline;
  double watts = 0;
  std::shared_ptr<const CgroupIdentity> cgroup{};
  bool terminated = false;
  bool kernel = false;
};

inline std::shared_ptr<const CgroupIdentity> cgroup(std::uint64_t id,
                                                    std::string path,
                                                    std::string container = "",
                                                    std::string pod = "") {
  auto identity = std::make_shared<CgroupIdentity>();
  identity->id = id;
  identity->path = std::move(path);
  if (!container.empty()) {
    identity->container = ContainerIdentity{std::move(container), "docker", std::move(pod)};
  }
  return identity;
}

// Intervals one after the other, a second each, with package, dram and psys zones.
class Scene {
 public:
  bool measured = false;
  bool counters = false;
  bool idle_known = true;
  double idle_watts = 10;
  std::uint64_t lost_slices = 0;
  std::uint32_t self_pid = 999;

  // Nine tenths of everything go to the package, the rest to memory.
  SnapshotPtr next(const std::vector<Proc>& procs) {
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->sequence = ++sequence_;
    snapshot->start_ns = sequence_ * kSecond;
    snapshot->end_ns = snapshot->start_ns + kSecond;
    snapshot->realtime_ns = 1'767'323'045ULL * kSecond;
    snapshot->windows = 10;
    snapshot->capacity_ns = 8 * kSecond;
    snapshot->source =
        measured ? SourceInfo{"powercap", true, 0} : SourceInfo{"synthetic", false, 0.66};
    snapshot->model = counters ? Model::kCycles : Model::kTime;
    snapshot->counters_on = counters;
    snapshot->instructions_on = counters;
    snapshot->idle_known = idle_known;
    snapshot->self_pid = self_pid;
    snapshot->self.cpu_seconds = 0.0042;
    snapshot->self.rss_bytes = 21'000'000;
    snapshot->self.bpf_ns_per_switch = 61.2;
    snapshot->self.lost_slices = lost_slices;
    for (const auto& [name, kind, in_total] : {std::tuple("package-0", ZoneKind::kPackage, true),
                                               std::tuple("dram-0", ZoneKind::kDram, true),
                                               std::tuple("psys", ZoneKind::kPsys, false)}) {
      Zone zone;
      zone.name = name;
      zone.kind = kind;
      zone.socket = 0;
      zone.in_total = in_total;
      zone.measured = measured;
      snapshot->zones.push_back(zone);
      LedgerZone use;
      use.status = ZoneStatus::kOk;
      use.duration_ns = kSecond;
      snapshot->zone_use.push_back(use);
    }
    for (const Proc& proc : procs) {
      add(*snapshot, proc);
    }
    const auto idle = split(idle_watts);
    for (std::size_t zone = 0; zone < 2; ++zone) {
      snapshot->zone_use[zone].idle_nj = idle[zone];
      snapshot->zone_use[zone].energy_nj += idle[zone];
    }
    snapshot->zone_use[2].energy_nj = 77'000'000'000;
    return snapshot;
  }

 private:
  static constexpr std::uint64_t kSecond = 1'000'000'000;

  static std::array<std::int64_t, 2> split(double watts) {
    const auto nj = static_cast<std::int64_t>(watts * 1e9);
    return {nj - nj / 10, nj / 10};
  }

  void add(Snapshot& snapshot, const Proc& proc) const {
    SnapshotTask task;
    task.task = {proc.pid, proc.pid * kSecond};
    task.use.tgid = proc.pid;
    task.use.kernel_thread = proc.kernel;
    std::copy_n(proc.comm.begin(), std::min<std::size_t>(proc.comm.size(), 15),
                task.use.comm.begin());
    task.use.switches = 100;
    task.use.run_ns = static_cast<std::uint64_t>(proc.watts * 1e8);
    if (counters) {
      task.use.counted_ns = task.use.run_ns;
      task.use.cycles = static_cast<double>(task.use.run_ns) * 3;
      task.use.instructions = task.use.cycles * 1.5;
    }
    const auto parts = split(proc.watts);
    task.use.energy_nj = {parts[0], parts[1], 0};
    snapshot.zone_use[0].energy_nj += parts[0];
    snapshot.zone_use[1].energy_nj += parts[1];
    if (proc.pid == snapshot.self_pid) {
      snapshot.self.energy_nj = parts[0] + parts[1];
    }
    auto process = std::make_shared<ProcessIdentity>();
    process->task = task.task;
    process->parent_pid = proc.parent;
    process->uid = proc.pid % 2 == 0 ? 1000 : 0;
    process->comm = proc.comm;
    process->cmdline = proc.cmdline;
    process->exe = proc.cmdline.substr(0, proc.cmdline.find(' '));
    process->kernel_thread = proc.kernel;
    task.process = process;
    task.cgroup = proc.cgroup ? proc.cgroup : cgroup(1, "/");
    task.terminated = proc.terminated;
    snapshot.tasks.push_back(task);
  }

  std::uint64_t sequence_ = 0;
};

}  // namespace powertrace::test
