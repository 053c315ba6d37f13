// SPDX-License-Identifier: Apache-2.0
#include "record/tables.hpp"

#include <algorithm>

#include "record/bytes.hpp"
#include "record/content.hpp"

namespace powertrace::record {
namespace {

// A chunk that was lost defined at most so many; a first id beyond that is not believed.
constexpr std::size_t kMaxGap = 1U << 20U;
constexpr std::size_t kMaxIds = 1U << 23U;

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

// Adds an entry that shares the life of the one it replaces, if that one is known (id + 1; 0:
// none).
template <typename T>
T* add_life(std::vector<std::shared_ptr<T>>& lives, std::uint64_t replaces) {
  const bool known = replaces > 0 && replaces - 1 < lives.size() && lives[replaces - 1];
  lives.push_back(known ? lives[replaces - 1] : std::make_shared<T>());
  return lives.back().get();
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
    case ChunkType::kFiles:
      return define_files(payload);
    case ChunkType::kFrames:
      return define_frames(payload);
    case ChunkType::kStacks:
      return define_stacks(payload);
    case ChunkType::kNames:
      return add_names(payload);
    default:
      return false;
  }
}

void Tables::begin_epoch() {
  *this = Tables(sockets_);
}

const std::string& Tables::text(std::uint64_t id) const {
  static const std::string unknown;
  return id < texts_.size() && texts_[id] ? *texts_[id] : unknown;
}

std::shared_ptr<const VmIdentity> Tables::machine(ByteReader& in) const {
  if (in.number() == 0) {
    return nullptr;
  }
  auto vm = std::make_shared<VmIdentity>();
  vm->id = text(in.number());
  vm->name = text(in.number());
  vm->hypervisor = text(in.number());
  return vm;
}

std::optional<ContainerIdentity> Tables::container(ByteReader& in) const {
  if (in.number() == 0) {
    return std::nullopt;
  }
  ContainerIdentity container;
  container.id = text(in.number());
  container.runtime = text(in.number());
  container.pod_uid = text(in.number());
  container.name = text(in.number());
  if (in.number() != 0) {
    auto pod = std::make_shared<PodIdentity>();
    for (std::string* field :
         {&pod->uid, &pod->name, &pod->name_space, &pod->owner_kind, &pod->owner_name}) {
      *field = text(in.number());
    }
    for (std::size_t labels = in.count(); labels > 0; --labels) {
      const std::string& key = text(in.number());
      pod->labels.emplace_back(key, text(in.number()));
    }
    container.pod = std::move(pod);
  }
  return container;
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
    const std::uint64_t replaces = in.number();
    auto cgroup = std::make_shared<CgroupIdentity>();
    cgroup->id = in.number();
    cgroup->path = text(in.number());
    cgroup->container = container(in);
    cgroup->vm = machine(in);
    if (!in.ok()) {
      return false;
    }
    add_life(cgroups_, replaces)->identity = std::move(cgroup);
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
    process->comm = text(in.number());
    process->exe = text(in.number());
    process->cmdline = text(in.number());
    process->kernel_thread = (in.number() & kKernelThread) != 0;
    process->vm = machine(in);
    if (!in.ok()) {
      return false;
    }
    add_life(processes_, replaces)->identity = std::move(process);
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
    const std::string& comm = text(in.number());
    const std::uint64_t flags = in.number();
    task.process = in.number32();
    task.cgroup = in.number32();
    if (!in.ok() || socket >= sockets_) {
      return false;
    }
    task.socket = static_cast<std::int32_t>(socket);
    task.kernel_thread = (flags & kKernelThread) != 0;
    task.selected = (flags & kSelected) != 0;
    std::copy_n(comm.begin(), std::min(comm.size(), task.comm.size() - 1), task.comm.begin());
    tasks_.emplace_back(task);
  }
  return count.has_value();
}

bool Tables::define_files(std::string_view payload) {
  ByteReader in(payload);
  const std::optional<std::size_t> count = begin(in, files_);
  for (std::size_t i = 0; count && i < *count; ++i) {
    CodeFile file;
    const std::uint64_t kind = in.number();
    file.path = in.text();
    file.build_id = in.text();
    file.tgid = in.number32();
    if (!in.ok() || kind > static_cast<std::uint64_t>(FileKind::kAnonymous)) {
      return false;
    }
    file.kind = static_cast<FileKind>(kind);
    files_.emplace_back(std::move(file));
  }
  return count.has_value();
}

bool Tables::define_frames(std::string_view payload) {
  ByteReader in(payload);
  const std::optional<std::size_t> count = begin(in, frames_);
  for (std::size_t i = 0; count && i < *count; ++i) {
    const Frame frame{in.number32(), in.number()};
    if (!in.ok()) {
      return false;
    }
    frames_.emplace_back(frame);
  }
  return count.has_value();
}

bool Tables::define_stacks(std::string_view payload) {
  ByteReader in(payload);
  const std::optional<std::size_t> count = begin(in, stacks_);
  for (std::size_t i = 0; count && i < *count; ++i) {
    std::vector<Id> frames(in.count());
    for (Id& frame : frames) {
      frame = in.number32();
    }
    if (!in.ok()) {
      return false;
    }
    stacks_.push_back(std::move(frames));
  }
  return count.has_value();
}

bool Tables::add_names(std::string_view payload) {
  ByteReader in(payload);
  for (std::size_t count = in.count(); count > 0; --count) {
    const Id frame = in.number32();
    const std::string_view name = in.text();
    if (!in.ok()) {
      return false;
    }
    names_[frame] = name;
  }
  return in.ok();
}

const std::vector<Id>& Tables::stack(Id id) const {
  static const std::vector<Id> unknown;
  return id < stacks_.size() ? stacks_[id] : unknown;
}

const std::string& Tables::name(Id frame) const {
  static const std::string unknown;
  const auto at = names_.find(frame);
  return at == names_.end() ? unknown : at->second;
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

std::shared_ptr<const CgroupLife> Tables::cgroup(const TaskDef& task) const {
  if (task.cgroup < cgroups_.size() && cgroups_[task.cgroup]) {
    return cgroups_[task.cgroup];
  }
  auto unknown = std::make_shared<CgroupIdentity>();
  unknown->id = task.cgroup_id;
  unknown->path = fmt::format("[cgroup {}]", task.cgroup_id);
  return std::make_shared<CgroupLife>(CgroupLife{std::move(unknown)});
}

}  // namespace powertrace::record
