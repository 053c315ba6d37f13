// SPDX-License-Identifier: Apache-2.0
//
// Snapshots made by hand or by chance, in which everything adds up.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "serve/account.hpp"
#include "support/units.hpp"

namespace powertrace::test {

inline constexpr std::uint32_t kSelfPid = 42;

inline Zone zone(const char* name, ZoneKind kind, bool in_total) {
  Zone made;
  made.name = name;
  made.kind = kind;
  made.in_total = in_total;
  made.measured = true;
  return made;
}

// Who may run: one thread each.
struct Person {
  std::shared_ptr<const ProcessIdentity> process;
  std::shared_ptr<const CgroupIdentity> cgroup;
  bool kernel_thread = false;
};

inline Person person(std::uint32_t pid,
                     std::string comm,
                     const std::string& path,
                     const std::optional<ContainerIdentity>& container = std::nullopt,
                     std::uint64_t start_ns = 1) {
  static std::map<std::string, std::shared_ptr<const CgroupIdentity>> cgroups;
  auto process = std::make_shared<ProcessIdentity>();
  process->task = {pid, start_ns};
  process->comm = std::move(comm);
  process->exe = "/bin/program";
  auto& cgroup =
      cgroups[path + (container ? container->id + container->pod_uid + container->name : "")];
  if (!cgroup) {
    auto made = std::make_shared<CgroupIdentity>();
    made->id = std::hash<std::string>{}(path);
    made->path = path;
    made->container = container;
    cgroup = std::move(made);
  }
  return {std::move(process), cgroup};
}

class Machine {
 public:
  explicit Machine(unsigned seed = 1) : random_(seed) {}

  // One second in which these ran; energies are random.
  SnapshotPtr second(const std::vector<Person>& people,
                     const std::vector<std::uint32_t>& ended = {}) {
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->sequence = ++sequence_;
    snapshot->start_ns = sequence_ * kSecond;
    snapshot->end_ns = snapshot->start_ns + kSecond;
    snapshot->realtime_ns = 1'700'000'000 * kSecond + snapshot->end_ns;
    snapshot->windows = 1;
    snapshot->capacity_ns = 2 * kSecond;
    snapshot->source = {"powercap", true, 0};
    snapshot->model = Model::kCycles;
    snapshot->counters_on = true;
    snapshot->instructions_on = true;
    snapshot->idle_known = true;
    snapshot->self_pid = kSelfPid;
    snapshot->zones = {
        zone("package-0", ZoneKind::kPackage, true), zone("package-1", ZoneKind::kPackage, true),
        zone("core-0", ZoneKind::kCore, false), zone("dram-0", ZoneKind::kDram, true)};
    snapshot->zone_use.resize(snapshot->zones.size());
    for (const Person& one : people) {
      add(*snapshot, one, std::count(ended.begin(), ended.end(), one.process->task.pid) != 0);
    }
    for (std::size_t z = 0; z < snapshot->zones.size(); ++z) {
      LedgerZone& use = snapshot->zone_use[z];
      use.idle_nj = number(2'000'000'000);
      use.unattributed_nj = number(1000);
      use.energy_nj = use.idle_nj + use.unattributed_nj;
      use.duration_ns = kSecond;
      use.status = ZoneStatus::kOk;
      for (const SnapshotTask& task : snapshot->tasks) {
        use.energy_nj += task.use.energy_nj[z];
      }
    }
    return snapshot;
  }

  // Time in which nothing happens.
  void sleep(std::uint64_t seconds) { sequence_ += seconds; }

  std::int64_t number(std::int64_t below) {
    return std::uniform_int_distribution<std::int64_t>(0, below - 1)(random_);
  }

 private:
  void add(Snapshot& snapshot, const Person& one, bool ended) {
    SnapshotTask& task = snapshot.tasks.emplace_back();
    task.task = one.process->task;
    task.process = one.process;
    task.cgroup = one.cgroup;
    task.terminated = ended;
    task.use.tgid = one.process->task.pid;
    task.use.kernel_thread = one.kernel_thread;
    task.use.run_ns = static_cast<std::uint64_t>(number(100'000'000)) + 1;
    task.use.cycles = static_cast<double>(number(1'000'000'000));
    task.use.instructions = task.use.cycles * 2;
    for (std::size_t z = 0; z < snapshot.zones.size(); ++z) {
      task.use.energy_nj.push_back(number(3'000'000'000));
    }
  }

  std::mt19937 random_;
  std::uint64_t sequence_ = 0;
};

inline Liveness nobody_lives() {
  return {[](const ProcessIdentity&) { return std::optional<bool>(false); },
          [](const CgroupIdentity&) { return std::optional<bool>(false); }};
}

}  // namespace powertrace::test
