// SPDX-License-Identifier: Apache-2.0
#include "serve/account.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "serve/account_level.hpp"
#include "serve/labels.hpp"

namespace powertrace {
namespace {

// The kernel tells starts by clock ticks in /proc and exactly in events.
constexpr std::uint64_t kTickNs = 20'000'000;

// Zones of a kind that add up: where some count towards the node, only these (the others are
// duplicates of them).
std::vector<bool> counting_zones(const std::vector<Zone>& zones) {
  std::array<bool, kZoneKinds> in_total{};
  for (const Zone& zone : zones) {
    in_total[kind_index(zone.kind)] = in_total[kind_index(zone.kind)] || zone.in_total;
  }
  std::vector<bool> counts;
  for (const Zone& zone : zones) {
    counts.push_back(zone.in_total || !in_total[kind_index(zone.kind)]);
  }
  return counts;
}

bool same_process(const ProcessIdentity& a, const ProcessIdentity& b) {
  const std::uint64_t x = a.task.start_ns;
  const std::uint64_t y = b.task.start_ns;
  return x == 0 || y == 0 || (x > y ? x - y : y - x) <= kTickNs;
}

}  // namespace

Account::Account(AccountConfig config, Liveness liveness)
    : config_(std::move(config)), liveness_(std::move(liveness)) {
  for (auto& level : levels_) {
    level = std::make_unique<Level>();
  }
}

Account::~Account() = default;

void Account::add(const SnapshotPtr& snapshot) {
  node_.snapshot = snapshot;
  now_ns_ = snapshot->end_ns;
  const std::uint64_t length_ns = snapshot->end_ns - snapshot->start_ns;
  began_ms_ = (snapshot->realtime_ns - std::min(snapshot->realtime_ns, length_ns)) / 1'000'000;
  if (node_.start_ms == 0) {
    node_.start_ms = began_ms_;
    counts_ = counting_zones(snapshot->zones);
  }
  count_node(*snapshot);
  count_sensors(*snapshot);
  divide_kepler(*snapshot);
  count_tasks(*snapshot);
  if (config_.even_idle) {
    count_even_idle();
  }
  sweep();
}

void Account::count_node(const Snapshot& snapshot) {
  SelfTotals& self = node_.self;
  self.cpu_seconds += snapshot.self.cpu_seconds;
  self.energy_nj += snapshot.self.energy_nj;
  self.switches += snapshot.self.switches;
  self.counter_reads += snapshot.self.counter_reads;
  self.lost_slices += snapshot.self.lost_slices;
  self.lost_events += snapshot.self.lost_events;
  self.missed_switches += snapshot.self.missed_switches;
  self.windows += snapshot.windows;
  node_.capacity_ns += snapshot.capacity_ns;
  std::uint64_t run_ns = 0;
  for (const SnapshotTask& task : snapshot.tasks) {
    run_ns += task.use.run_ns;
  }
  node_.usage_ratio =
      snapshot.capacity_ns == 0
          ? 0
          : std::min(1.0, static_cast<double>(run_ns) / static_cast<double>(snapshot.capacity_ns));
}

void Account::count_sensors(const Snapshot& snapshot) {
  node_.sensors.resize(snapshot.zones.size());
  node_.last_energy_nj = {};
  node_.last_idle_nj = {};
  for (std::size_t z = 0; z < snapshot.zones.size(); ++z) {
    const LedgerZone& use = snapshot.zone_use[z];
    SensorView& sensor = node_.sensors[z];
    sensor.zone = snapshot.zones[z];
    sensor.status = use.status;
    sensor.counts = counts_[z];
    sensor.energy_nj += use.energy_nj;
    sensor.failures += use.status == ZoneStatus::kOk || use.status == ZoneStatus::kFirst ? 0 : 1;
    sensor.watts = use.duration_ns == 0
                       ? 0
                       : static_cast<double>(use.energy_nj) / static_cast<double>(use.duration_ns);
    if (counts_[z]) {
      const std::size_t kind = kind_index(sensor.zone.kind);
      node_.has_kind[kind] = true;
      node_.energy_nj[kind] += use.energy_nj;
      node_.idle_nj[kind] += use.idle_nj;
      node_.unattributed_nj[kind] += use.unattributed_nj;
      node_.last_energy_nj[kind] += use.energy_nj;
      node_.last_idle_nj[kind] += use.idle_nj;
    }
  }
}

// Kepler >= 0.10 calls energy x CPU utilisation active. We divide that by our own parts, so that
// its dashboards add up as they expect and show whom our model finds.
void Account::divide_kepler(const Snapshot& snapshot) {
  kepler_parts_.assign(snapshot.tasks.size(), {});
  node_.last_kepler_active_nj = {};
  std::vector<std::uint64_t> weights(snapshot.tasks.size());
  std::vector<std::int64_t> parts(snapshot.tasks.size());
  for (std::size_t kind = 0; kind < kZoneKinds; ++kind) {
    const std::int64_t active =
        std::llround(static_cast<double>(node_.last_energy_nj[kind]) * node_.usage_ratio);
    if (active <= 0) {
      continue;
    }
    std::uint64_t sum = 0;
    for (std::size_t t = 0; t < snapshot.tasks.size(); ++t) {
      weights[t] = 0;
      for (std::size_t z = 0; z < snapshot.zones.size(); ++z) {
        if (counts_[z] && kind_index(snapshot.zones[z].kind) == kind) {
          weights[t] += static_cast<std::uint64_t>(snapshot.tasks[t].use.energy_nj[z]);
        }
      }
      sum += weights[t];
    }
    if (sum == 0) {  // nothing is attributed while all of it counts as idle
      for (std::size_t t = 0; t < snapshot.tasks.size(); ++t) {
        weights[t] = snapshot.tasks[t].use.run_ns;
      }
    }
    if (!divide_exactly(active, weights, parts)) {
      continue;
    }
    node_.last_kepler_active_nj[kind] = active;
    for (std::size_t t = 0; t < parts.size(); ++t) {
      kepler_parts_[t][kind] = parts[t];
    }
  }
  node_.kepler_active_nj += node_.last_kepler_active_nj;
}

void Account::count_tasks(const Snapshot& snapshot) {
  for (std::size_t t = 0; t < snapshot.tasks.size(); ++t) {
    const SnapshotTask& task = snapshot.tasks[t];
    AccountTotals delta;
    for (std::size_t z = 0; z < snapshot.zones.size(); ++z) {
      if (counts_[z]) {
        delta.energy_nj[kind_index(snapshot.zones[z].kind)] += task.use.energy_nj[z];
      }
    }
    delta.kepler_nj = kepler_parts_[t];
    delta.run_ns = task.use.run_ns;
    delta.cycles = task.use.cycles;
    delta.instructions = task.use.instructions;
    node_.used += delta;
    if (task.use.tgid != snapshot.self_pid && !task.use.kernel_thread) {
      count_workload(task, delta);
      continue;
    }
    for (auto& level : levels_) {
      AccountUsage& row = task.use.kernel_thread ? level->kernel : level->powertrace;
      row.add(delta, snapshot.sequence);
    }
  }
}

void Account::count_workload(const SnapshotTask& task, const AccountTotals& delta) {
  const Place& where = place(task.cgroup);
  count(AccountLevel::kCgroup, where.cgroup, delta);
  count(AccountLevel::kContainer, where.container, delta);
  count(AccountLevel::kPod, where.pod, delta);
  count(AccountLevel::kVm, machine(task), delta);
  if (config_.processes || config_.even_idle) {
    Workload* one = process(task);
    count(AccountLevel::kProcess, one, delta);
    if (task.terminated) {
      end(*one);
    }
  }
}

// Null: of no workload of this level.
void Account::count(AccountLevel which, Workload* workload, const AccountTotals& delta) {
  Level& at = level(which);
  const std::uint64_t sequence = node_.snapshot->sequence;
  if (workload == nullptr) {
    at.outside.add(delta, sequence);
    return;
  }
  workload->ran_ns = now_ns_;
  workload->ended_ns = 0;
  workload->recent_nj += static_cast<double>(total_nj(delta.energy_nj));
  if (!workload->shown && workload->allowed && workload->folded_nj >= config_.min_nj &&
      has_room(which)) {
    at.show(*workload, began_ms_, now_ns_);
  }
  if (workload->shown) {
    workload->use.add(delta, sequence);
  } else {
    workload->folded_nj += total_nj(delta.energy_nj);
    at.folded.add(delta, sequence);
  }
}

// Kepler <= 0.9: every process it knows bears as much of the idle power as any other.
void Account::count_even_idle() {
  std::int64_t bearers = 1;  // the kernel's threads, together
  for (const auto& [name, one] : level(AccountLevel::kProcess).workloads) {
    bearers += one->ended_ns == 0 ? 1 : 0;
  }
  AccountTotals share;
  for (std::size_t kind = 0; kind < kZoneKinds; ++kind) {
    const std::int64_t idle = node_.last_idle_nj[kind] + idle_carry_nj_[kind];
    share.idle_nj[kind] = idle / bearers;
    idle_carry_nj_[kind] = idle % bearers;
  }
  const auto bear = [&](AccountLevel which, Workload* workload) {
    Level& at = level(which);
    AccountUsage& row = workload == nullptr ? at.outside
                        : workload->shown   ? workload->use
                                            : at.folded;
    row.add(share, node_.snapshot->sequence);
  };
  for (const auto& [name, one] : level(AccountLevel::kProcess).workloads) {
    if (one->ended_ns != 0) {
      continue;
    }
    bear(AccountLevel::kProcess, one.get());
    const auto where = places_.find(one->who.cgroup->id);
    bear(AccountLevel::kContainer, where == places_.end() ? nullptr : where->second->container);
    bear(AccountLevel::kVm, one->who.vm ? &find(AccountLevel::kVm, clean_text(one->who.vm->id),
                                                {one->who.process, one->who.cgroup, one->who.vm})
                                        : nullptr);
  }
  for (const AccountLevel which :
       {AccountLevel::kProcess, AccountLevel::kContainer, AccountLevel::kVm}) {
    level(which).kernel.add(share, node_.snapshot->sequence);
  }
}

Account::Workload& Account::find(AccountLevel which,
                                 const std::string& name,
                                 const WorkloadIdentity& who) {
  Level& at = level(which);
  auto& slot = at.workloads[name];
  if (!slot) {
    slot = std::make_unique<Workload>();
    slot->name = name;
    rename(which, *slot, who);
  }
  return *slot;
}

void Account::rename(AccountLevel which, Workload& workload, const WorkloadIdentity& who) {
  workload.who = who;
  workload.labels =
      std::make_shared<const WorkloadLabels>(workload_labels(which, who, config_.node_name));
  workload.allowed = config_.filter.passes(which, who);
  if (workload.shown && !workload.allowed) {
    level(which).hide(workload);
  }
}

Account::Place& Account::place(const std::shared_ptr<const CgroupIdentity>& cgroup) {
  auto& slot = places_[cgroup->id];
  if (slot && slot->identity == cgroup) {
    return *slot;
  }
  if (!slot) {
    slot = std::make_unique<Place>();
  }
  // New, or its names have become known.
  const WorkloadIdentity who{nullptr, cgroup, cgroup->vm};
  slot->identity = cgroup;
  const auto settle = [&](AccountLevel which, const std::string& name) {
    Workload& found = find(which, clean_text(name), who);
    if (found.who.cgroup != cgroup) {
      rename(which, found, who);
    }
    return &found;
  };
  slot->cgroup = settle(AccountLevel::kCgroup, cgroup->path);
  slot->container =
      cgroup->container ? settle(AccountLevel::kContainer, cgroup->container->id) : nullptr;
  slot->pod = cgroup->container && !cgroup->container->pod_uid.empty()
                  ? settle(AccountLevel::kPod, cgroup->container->pod_uid)
                  : nullptr;
  return *slot;
}

Account::Workload* Account::machine(const SnapshotTask& task) {
  const auto& vm = task.process->vm ? task.process->vm : task.cgroup->vm;
  if (!vm) {
    return nullptr;
  }
  const WorkloadIdentity who{task.process, task.cgroup, vm};
  Workload& found = find(AccountLevel::kVm, clean_text(vm->id), who);
  if (found.who.vm->name != vm->name) {
    rename(AccountLevel::kVm, found, who);
  }
  return &found;
}

Account::Workload* Account::process(const SnapshotTask& task) {
  const std::string name = std::to_string(task.process->task.pid);
  const WorkloadIdentity who{task.process, task.cgroup,
                             task.process->vm ? task.process->vm : task.cgroup->vm};
  Level& at = level(AccountLevel::kProcess);
  if (const auto old = at.workloads.find(name);
      old != at.workloads.end() && !same_process(*old->second->who.process, *task.process)) {
    drop(at, name);  // another process had that pid
  }
  Workload& found = find(AccountLevel::kProcess, name, who);
  if (found.who.process != task.process || found.who.cgroup != task.cgroup) {
    rename(AccountLevel::kProcess, found, who);
  }
  return &found;
}

void Account::end(Workload& workload) const {
  if (workload.ended_ns == 0) {
    workload.ended_ns = now_ns_;
  }
}

AccountViewPtr Account::view() const {
  auto view = std::make_shared<AccountView>(node_);
  for (std::size_t i = 0; i < kAccountLevels; ++i) {
    const Level& from = *levels_[i];
    LevelView& to = view->levels[i];
    to.kernel = from.kernel;
    to.powertrace = from.powertrace;
    to.outside = from.outside;
    to.folded = from.folded;
    to.gone = from.gone;
    to.workloads.reserve(from.shown);
    to.hidden = from.workloads.size() - from.shown;
    for (const auto& [name, workload] : from.workloads) {
      if (workload->shown) {
        to.workloads.push_back({workload->labels, workload->who, workload->use,
                                workload->created_ms, workload->ended_ns != 0});
      }
    }
  }
  return view;
}

// A level that was not kept so far begins with all that went before in [others].
void Account::catch_up(Level& level) const {
  AccountTotals known = level.kernel.total;
  known += level.gone;
  for (const AccountUsage* row : {&level.powertrace, &level.outside, &level.folded}) {
    known += row->total;
  }
  for (const auto& [name, workload] : level.workloads) {
    known += workload->use.total;
  }
  AccountTotals missing = node_.used - known;
  missing.idle_nj = {};
  level.folded.total += missing;
}

void Account::configure(AccountConfig config) {
  const bool kept_processes = config_.processes || config_.even_idle;
  config_ = std::move(config);
  if (!kept_processes && (config_.processes || config_.even_idle)) {
    catch_up(level(AccountLevel::kProcess));
  }
  places_.clear();
  for (std::size_t i = 0; i < kAccountLevels; ++i) {
    for (const auto& [name, workload] : levels_[i]->workloads) {
      rename(static_cast<AccountLevel>(i), *workload, WorkloadIdentity(workload->who));
    }
  }
  chosen_ns_ = 0;
}

}  // namespace powertrace
