// SPDX-License-Identifier: Apache-2.0
#include "model/rollup.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <tuple>
#include <unordered_map>

#include "base/choice.hpp"
#include "model/uncertainty.hpp"

namespace powertrace {
namespace {

constexpr std::array<Choice<Level>, 7> kLevels{{{"process", Level::kProcess},
                                                {"thread", Level::kThread},
                                                {"comm", Level::kComm},
                                                {"cgroup", Level::kCgroup},
                                                {"container", Level::kContainer},
                                                {"pod", Level::kPod},
                                                {"vm", Level::kVm}}};

// As container tools print them.
constexpr std::size_t kShortContainerId = 12;

struct RowName {
  RowKind kind = RowKind::kWorkload;
  std::string id;
  std::string name;
};

RowName remainder_name(RowKind kind, const char* name) {
  return {kind, name, name};
}

std::string task_id_text(TaskId task) {
  return fmt::format("{}:{}", task.pid, task.start_ns);
}

std::string container_name(const ContainerIdentity& container) {
  return container.name.empty() ? container.id.substr(0, kShortContainerId) : container.name;
}

std::string pod_name(const ContainerIdentity& container) {
  return container.pod && !container.pod->name.empty()
             ? container.pod->name_space + "/" + container.pod->name
             : container.pod_uid;
}

// Who runs it says more than where it runs: it knows the machine's UUID.
std::shared_ptr<const VmIdentity> vm_of(const SnapshotTask& task) {
  return task.process->vm ? task.process->vm : task.cgroup->vm;
}

RowName workload_name(const SnapshotTask& task, Level level) {
  const std::optional<ContainerIdentity>& container = task.cgroup->container;
  switch (level) {
    case Level::kProcess:
      return {RowKind::kWorkload, task_id_text(task.process->task), task.process->comm};
    case Level::kThread:
      return {RowKind::kWorkload, task_id_text(task.task), std::string(comm_view(task.use.comm))};
    case Level::kComm: {
      const std::string comm(comm_view(task.use.comm));
      return {RowKind::kWorkload, comm, comm};
    }
    case Level::kCgroup:
      return {RowKind::kWorkload, task.cgroup->path, task.cgroup->path};
    case Level::kContainer:
      if (container) {
        return {RowKind::kWorkload, container->id, container_name(*container)};
      }
      break;
    case Level::kPod:
      if (container && !container->pod_uid.empty()) {
        return {RowKind::kWorkload, container->pod_uid, pod_name(*container)};
      }
      break;
    case Level::kVm:
      if (const auto vm = vm_of(task)) {
        return {RowKind::kWorkload, vm->id, vm->name.empty() ? vm->id : vm->name};
      }
      break;
  }
  return remainder_name(RowKind::kOther, "[others]");
}

// The row a task belongs to.
RowName row_of(const SnapshotTask& task, Level level, std::uint32_t self_pid) {
  const bool powertrace = task.use.tgid == self_pid;
  if (task.outside && !powertrace) {
    return remainder_name(RowKind::kOther, "[others]");
  }
  if (level == Level::kThread) {
    RowName name = workload_name(task, level);
    name.kind = powertrace ? RowKind::kPowertrace : RowKind::kWorkload;
    return name;
  }
  if (powertrace) {
    return remainder_name(RowKind::kPowertrace, "[powertrace]");
  }
  if (task.use.kernel_thread) {
    return remainder_name(RowKind::kKernel, "[kernel]");
  }
  return workload_name(task, level);
}

class RowBuilder {
 public:
  RowBuilder(const Snapshot& snapshot, Level level) : snapshot_(snapshot), level_(level) {}

  // Tasks come sorted by TaskId, so that a thread seen under two cgroups counts as one.
  void add(const SnapshotTask& task) {
    RowName name = row_of(task, level_, snapshot_.self_pid);
    // A comm may well be "[kernel]": the kind is part of the key.
    const auto [at, added] = index_.try_emplace(
        fmt::format("{} {}", static_cast<int>(name.kind), name.id), rows_.size());
    if (added) {
      begin_row(std::move(name), task);
    }
    Row& row = rows_[at->second];
    fold_identity(row, task);
    if (added || last_task_[at->second] != task.task) {
      ++row.tasks;
      last_task_[at->second] = task.task;
    }
    row.terminated = row.terminated && task.terminated;
    row.run_ns += task.use.run_ns;
    row.counted_ns += task.use.counted_ns;
    row.switches += task.use.switches;
    row.cycles += task.use.cycles;
    row.instructions += task.use.instructions;
    guess_var_nj2_[at->second] += task.use.guess_var_nj2;
    for (std::size_t z = 0; z < std::min(row.zone_nj.size(), task.use.energy_nj.size()); ++z) {
      row.zone_nj[z] += task.use.energy_nj[z];
    }
  }

  void add_remainder(RowName name, std::int64_t LedgerZone::*energy_nj) {
    Row& row = new_row(std::move(name));
    for (std::size_t z = 0; z < row.zone_nj.size(); ++z) {
      row.zone_nj[z] = snapshot_.zone_use[z].*energy_nj;
    }
  }

  std::vector<Row> finish() {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      finish_row(rows_[i], guess_var_nj2_[i]);
    }
    return std::move(rows_);
  }

 private:
  Row& new_row(RowName name) {
    Row& row = rows_.emplace_back();
    last_task_.emplace_back();
    guess_var_nj2_.push_back(0);
    row.level = level_;
    row.kind = name.kind;
    row.id = std::move(name.id);
    row.name = std::move(name.name);
    row.zone_nj.assign(std::min(snapshot_.zones.size(), snapshot_.zone_use.size()), 0);
    return row;
  }

  void begin_row(RowName name, const SnapshotTask& task) {
    Row& row = new_row(std::move(name));
    row.terminated = true;
    row.process = task.process;
    row.cgroup = task.cgroup;
    if (task.cgroup->container) {
      row.container = {task.cgroup, &*task.cgroup->container};  // lives as long as its cgroup
      row.pod = row.container->pod;
    }
    row.vm = vm_of(task);
    const bool one_process = level_ == Level::kProcess || level_ == Level::kThread;
    if (row.kind == RowKind::kPowertrace || (one_process && row.kind == RowKind::kWorkload)) {
      row.pid = task.use.tgid;
      row.parent_pid = task.process->parent_pid;
    }
    row.tid = level_ == Level::kThread && row.kind != RowKind::kOther ? task.task.pid : 0;
  }

  static void fold_identity(Row& row, const SnapshotTask& task) {
    if (row.process && row.process->task != task.process->task) {
      row.process = nullptr;
    }
    if (row.cgroup && row.cgroup->path != task.cgroup->path) {
      row.cgroup = nullptr;
    }
    if (row.container &&
        (!task.cgroup->container || task.cgroup->container->id != row.container->id)) {
      row.container = nullptr;
    }
    const auto& container = task.cgroup->container;
    if (row.pod && (!container || !container->pod || container->pod->uid != row.pod->uid)) {
      row.pod = nullptr;
    }
    if (const auto vm = row.vm ? vm_of(task) : nullptr; row.vm && (!vm || vm->id != row.vm->id)) {
      row.vm = nullptr;
    }
  }

  void finish_row(Row& row, double guess_var_nj2) const {
    double variance = guess_var_nj2;
    for (std::size_t z = 0; z < row.zone_nj.size(); ++z) {
      if (!snapshot_.zones[z].in_total) {
        continue;
      }
      row.energy_nj += row.zone_nj[z];
      variance += jitter_variance_nj2(snapshot_.zones[z], snapshot_.zone_use[z], row.zone_nj[z]);
    }
    row.plus_minus_nj = energy_sigma_nj(row.energy_nj, variance, snapshot_.source.expected_error);
  }

  const Snapshot& snapshot_;
  Level level_;
  std::vector<Row> rows_;
  std::vector<TaskId> last_task_;      // by row
  std::vector<double> guess_var_nj2_;  // by row
  std::unordered_map<std::string, std::size_t> index_;
};

}  // namespace

std::string_view level_name(Level level) {
  return choice_name(kLevels, level);
}

Result<Level> parse_level(std::string_view text) {
  return parse_choice("a level", text, kLevels);
}

std::vector<Row> roll_up(const Snapshot& snapshot, Level level) {
  // In an order of their own: neither the rows nor the last bit of a sum of doubles may depend on
  // how a hash table happened to list the tasks.
  std::vector<const SnapshotTask*> tasks;
  tasks.reserve(snapshot.tasks.size());
  for (const SnapshotTask& task : snapshot.tasks) {
    tasks.push_back(&task);
  }
  std::sort(tasks.begin(), tasks.end(), [](const SnapshotTask* a, const SnapshotTask* b) {
    return std::tie(a->task, a->cgroup->id, a->cgroup->path) <
           std::tie(b->task, b->cgroup->id, b->cgroup->path);
  });
  RowBuilder builder(snapshot, level);
  builder.add_remainder(remainder_name(RowKind::kIdle, "[idle]"), &LedgerZone::idle_nj);
  builder.add_remainder(remainder_name(RowKind::kUnattributed, "[unattributed]"),
                        &LedgerZone::unattributed_nj);
  for (const SnapshotTask* task : tasks) {
    builder.add(*task);
  }
  return builder.finish();
}

}  // namespace powertrace
