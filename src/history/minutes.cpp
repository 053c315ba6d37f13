// SPDX-License-Identifier: Apache-2.0
#include "history/minutes.hpp"

#include <algorithm>
#include <utility>

#include "base/units.hpp"

namespace powertrace {
namespace {

constexpr std::string_view kTypeLabel = "powertrace.io/workload-type";

// What of `use` falls into the first `part` of `whole`.
Usage first_part(const Usage& use, std::int64_t part, std::int64_t whole) {
  Usage result;
  for (std::size_t i = 0; i < kEnergyKinds; ++i) {
    result.energy_nj[i] = share(use.energy_nj[i], part, whole);
  }
  result.run_ns = share(use.run_ns, part, whole);
  result.cycles = share(use.cycles, part, whole);
  result.instructions = share(use.instructions, part, whole);
  result.switches = share(use.switches, part, whole);
  result.cores_squared = use.cores_squared * static_cast<double>(part) / static_cast<double>(whole);
  return result;
}

Usage minus(Usage a, const Usage& b) {
  for (std::size_t i = 0; i < kEnergyKinds; ++i) {
    a.energy_nj[i] -= b.energy_nj[i];
  }
  a.run_ns -= b.run_ns;
  a.cycles -= b.cycles;
  a.instructions -= b.instructions;
  a.switches -= b.switches;
  a.cores_squared -= b.cores_squared;
  return a;
}

EnergyKind energy_kind(ZoneKind kind) {
  switch (kind) {
    case ZoneKind::kPackage:
      return EnergyKind::kCpu;
    case ZoneKind::kDram:
      return EnergyKind::kDram;
    case ZoneKind::kGpu:
      return EnergyKind::kGpu;
    default:
      return EnergyKind::kOther;
  }
}

Workload workload_of(const SnapshotTask& task, std::string user) {
  Workload who;
  who.user = std::move(user);
  who.cgroup = task.cgroup->path;
  if (const auto& container = task.cgroup->container) {
    who.container_id = container->id;
    who.container = container->name;
    who.pod_uid = container->pod_uid;
    if (container->pod) {
      who.pod = container->pod->name;
      who.name_space = container->pod->name_space;
      for (const auto& [name, value] : container->pod->labels) {
        if (name == kTypeLabel) {
          who.type_label = value;
        }
      }
    }
  }
  return who;
}

// One interval by workload, before it is cut into minutes.
struct Fold {
  std::unordered_map<std::string, std::pair<Workload, Usage>> rows;

  Usage& row(const std::string& key, const Workload& who) {
    return rows.try_emplace(key, who, Usage{}).first->second.second;
  }
  Usage& remainder(WorkloadKind kind) {
    Workload who;
    who.kind = kind;
    return row(std::string(remainder_name(kind)), who);
  }
};

void add_task(Usage& use, const Snapshot& snapshot, const SnapshotTask& task) {
  for (std::size_t i = 0; i < snapshot.zones.size(); ++i) {
    if (snapshot.zones[i].in_total) {
      use.energy_nj[static_cast<std::size_t>(energy_kind(snapshot.zones[i].kind))] +=
          task.use.energy_nj[i];
    }
  }
  use.run_ns += static_cast<std::int64_t>(task.use.run_ns);
  use.cycles += static_cast<std::int64_t>(task.use.cycles);
  use.instructions += static_cast<std::int64_t>(task.use.instructions);
  use.switches += static_cast<std::int64_t>(task.use.switches);
}

}  // namespace

MinuteFolder::MinuteFolder(std::string node, UserName user_name)
    : node_(std::move(node)), user_name_(std::move(user_name)) {}

MinuteFolder::Open& MinuteFolder::open(UtcMs start) {
  Open& open = open_[start];
  open.minute.start = start;
  return open;
}

void MinuteFolder::add_row(Open& open,
                           const std::string& key,
                           const Workload& who,
                           const Usage& use) {
  const auto [found, is_new] = open.rows.try_emplace(key, open.minute.rows.size());
  if (is_new) {
    open.minute.rows.push_back({who, {}});
  }
  MinuteRow& row = open.minute.rows[found->second];
  row.use += use;
  if (!who.pod.empty() || !who.container.empty()) {
    row.who = who;  // names may have become known since
  }
}

void MinuteFolder::add(const Snapshot& snapshot) {
  Fold fold;
  for (const SnapshotTask& task : snapshot.tasks) {
    const bool own = snapshot.self_pid != 0 && task.use.tgid == snapshot.self_pid;
    if (own || task.use.kernel_thread) {
      add_task(fold.remainder(own ? WorkloadKind::kPowertrace : WorkloadKind::kKernel), snapshot,
               task);
      continue;
    }
    const auto [user, is_new] = users_.try_emplace(task.process->uid);
    if (is_new) {
      user->second = user_name_(task.process->uid);
    }
    const Workload who = workload_of(task, user->second);
    const std::string key = who.cgroup + '\n' + who.user;
    add_task(fold.row(key, who), snapshot, task);
  }
  for (std::size_t i = 0; i < snapshot.zones.size(); ++i) {
    if (snapshot.zones[i].in_total) {
      const auto kind = static_cast<std::size_t>(energy_kind(snapshot.zones[i].kind));
      fold.remainder(WorkloadKind::kIdle).energy_nj[kind] += snapshot.zone_use[i].idle_nj;
      fold.remainder(WorkloadKind::kUnattributed).energy_nj[kind] +=
          snapshot.zone_use[i].unattributed_nj;
    }
  }
  const auto length_ns = static_cast<std::int64_t>(snapshot.end_ns - snapshot.start_ns);
  const auto end = static_cast<UtcMs>(snapshot.realtime_ns / 1'000'000U);
  const UtcMs begin = end - std::max<UtcMs>(1, length_ns / 1'000'000);
  for (auto& [key, row] : fold.rows) {
    row.first.node = node_;
    const double cores = static_cast<double>(row.second.run_ns) /
                         static_cast<double>(std::max<std::int64_t>(length_ns, 1));
    row.second.cores_squared = cores * cores;
  }
  std::unordered_map<std::string, Usage> done;
  for (UtcMs at = begin; at < end;) {
    const UtcMs minute = at - at % kMinuteMs;
    const UtcMs next = std::min(end, minute + kMinuteMs);
    Open& target = open(minute);
    target.minute.covered_ms += next - at;
    target.minute.estimated_ms += snapshot.source.measured ? 0 : next - at;
    target.minute.intervals += next == end ? 1 : 0;
    for (const auto& [key, row] : fold.rows) {
      Usage& before = done[key];
      const Usage until = first_part(row.second, next - begin, end - begin);
      add_row(target, key, row.first, minus(until, before));
      before = until;
    }
    at = next;
  }
  latest_ = std::max(latest_, end - end % kMinuteMs);
}

std::vector<Minute> MinuteFolder::take(bool all) {
  std::vector<Minute> minutes;
  for (auto open = open_.begin(); open != open_.end();) {
    if (all || open->first < latest_) {
      minutes.push_back(std::move(open->second.minute));
      open = open_.erase(open);
    } else {
      ++open;
    }
  }
  return minutes;
}

}  // namespace powertrace
