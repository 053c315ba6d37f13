// SPDX-License-Identifier: Apache-2.0
#include "record/tables.hpp"

#include <algorithm>

#include "record/bytes.hpp"

namespace powertrace::record {
namespace {

// A chunk that was lost defined at most so many; a first id beyond that is not believed.
constexpr std::size_t kMaxGap = 1U << 20U;
constexpr std::size_t kMaxIds = 1U << 23U;

constexpr std::uint64_t kKernelThread = 1;
constexpr std::uint64_t kSelected = 2;

// Begins a list of definitions: how many follow. `table` is padded up to the first of them.
template <typename T>
std::optional<std::size_t> begin(ByteReader& in, std::vector<T>& table) {
  const std::uint64_t first = in.number();
  const std::size_t count = in.count();
  if (!in.ok() || first < table.size() || first - table.size() > kMaxGap ||
      first + count > kMaxIds) {
    return std::nullopt;
  }
  table.resize(first);
  return count;
}

}  // namespace

bool Tables::define(ChunkType type, std::string_view payload) {
  switch (type) {
    case ChunkType::kStrings:
      return define_texts(payload);
    case ChunkType::kCgroups:
      return define_cgroups(payload);
    case ChunkType::kProcesses:
      return define_processes(payload);
    case ChunkType::kTasks:
      return define_tasks(payload);
    case ChunkType::kExits:
      return add_exits(payload);
    default:
      return false;
  }
}

void Tables::begin_epoch() {
  *this = Tables(sockets_);
}

const std::string* Tables::text(std::uint64_t id) const {
  return id < texts_.size() && texts_[id] ? &*texts_[id] : nullptr;
}

bool Tables::define_texts(std::string_view payload) {
  ByteReader in(payload);
  const std::optional<std::size_t> count = begin(in, texts_);
  for (std::size_t i = 0; count && i < *count; ++i) {
    const std::string_view value = in.text();
    if (!in.ok()) {
      return false;
    }
    texts_.emplace_back(value);
  }
  return count.has_value();
}

bool Tables::define_cgroups(std::string_view payload) {
  ByteReader in(payload);
  const std::optional<std::size_t> count = begin(in, cgroups_);
  for (std::size_t i = 0; count && i < *count; ++i) {
    auto cgroup = std::make_shared<CgroupIdentity>();
    cgroup->id = in.number();
    const std::string* path = text(in.number());
    const bool contained = in.number() != 0;
    const std::string* id = text(in.number());
    const std::string* runtime = text(in.number());
    const std::string* pod = text(in.number());
    if (!in.ok()) {
      return false;
    }
    cgroup->path = path != nullptr ? *path : "[unknown]";
    if (contained && id != nullptr && runtime != nullptr && pod != nullptr) {
      cgroup->container = ContainerIdentity{*id, *runtime, *pod};
    }
    cgroups_.push_back(std::move(cgroup));
  }
  return count.has_value();
}

bool Tables::define_processes(std::string_view payload) {
  ByteReader in(payload);
  const std::optional<std::size_t> count = begin(in, processes_);
  for (std::size_t i = 0; count && i < *count; ++i) {
    auto process = std::make_shared<ProcessIdentity>();
    const std::uint64_t replaces = in.number();
    process->task.pid = in.number32();
    process->task.start_ns = in.number();
    process->parent_pid = in.number32();
    process->uid = in.number32();
    const std::string* comm = text(in.number());
    const std::string* exe = text(in.number());
    const std::string* cmdline = text(in.number());
    process->kernel_thread = (in.number() & kKernelThread) != 0;
    if (!in.ok()) {
      return false;
    }
    process->comm = comm != nullptr ? *comm : "[unknown]";
    process->exe = exe != nullptr ? *exe : "";
    process->cmdline = cmdline != nullptr ? *cmdline : "";
    if (replaces > 0 && replaces - 1 < processes_.size() && processes_[replaces - 1]) {
      processes_.push_back(processes_[replaces - 1]);
    } else {
      processes_.push_back(std::make_shared<ProcessLife>());
    }
    processes_.back()->identity = std::move(process);
  }
  return count.has_value();
}

bool Tables::define_tasks(std::string_view payload) {
  ByteReader in(payload);
  const std::optional<std::size_t> count = begin(in, tasks_);
  for (std::size_t i = 0; count && i < *count; ++i) {
    TaskDef task;
    task.task.pid = in.number32();
    task.task.start_ns = in.number();
    task.tgid = in.number32();
    const std::uint32_t socket = in.number32();
    task.cgroup_id = in.number();
    const std::string* comm = text(in.number());
    const std::uint64_t flags = in.number();
    task.process = in.number32();
    task.cgroup = in.number32();
    if (!in.ok() || socket >= sockets_) {
      return false;
    }
    task.socket = static_cast<std::int32_t>(socket);
    task.kernel_thread = (flags & kKernelThread) != 0;
    task.selected = (flags & kSelected) != 0;
    if (comm != nullptr) {
      std::copy_n(comm->begin(), std::min(comm->size(), task.comm.size() - 1), task.comm.begin());
    }
    tasks_.emplace_back(task);
  }
  return count.has_value();
}

bool Tables::add_exits(std::string_view payload) {
  ByteReader in(payload);
  for (std::size_t count = in.count(); count > 0; --count) {
    const std::uint64_t process = in.number();
    const std::uint64_t when_ns = in.number();
    if (!in.ok()) {
      return false;
    }
    if (process < processes_.size() && processes_[process]) {
      processes_[process]->ended_ns = when_ns;
    }
  }
  return in.ok();
}

std::shared_ptr<const ProcessLife> Tables::process(const TaskDef& task) const {
  if (task.process < processes_.size() && processes_[task.process]) {
    return processes_[task.process];
  }
  auto unknown = std::make_shared<ProcessIdentity>();
  unknown->task.pid = task.tgid;
  unknown->comm = comm_view(task.comm);
  unknown->kernel_thread = task.kernel_thread;
  auto life = std::make_shared<ProcessLife>();
  life->identity = std::move(unknown);
  return life;
}

std::shared_ptr<const CgroupIdentity> Tables::cgroup(const TaskDef& task) const {
  if (task.cgroup < cgroups_.size() && cgroups_[task.cgroup]) {
    return cgroups_[task.cgroup];
  }
  auto unknown = std::make_shared<CgroupIdentity>();
  unknown->id = task.cgroup_id;
  unknown->path = fmt::format("[cgroup {}]", task.cgroup_id);
  return unknown;
}

}  // namespace powertrace::record
