// SPDX-License-Identifier: Apache-2.0
#include "record/dictionary.hpp"

#include <algorithm>
#include <utility>

#include "record/content.hpp"

namespace powertrace::record {
namespace {

constexpr std::size_t kLargeTasks = 50'000;
constexpr std::size_t kMaxText = 4096;  // command lines can be as long as the kernel allows

}  // namespace

std::size_t Dictionary::TaskKeyHash::operator()(const TaskKey& key) const noexcept {
  return std::hash<TaskId>{}(key.task) ^ (key.cgroup_id * 0xD1B54A32D192ED03ULL) ^
         std::hash<std::string_view>{}(comm_view(key.comm)) ^ static_cast<std::size_t>(key.socket);
}

Id Dictionary::text(std::string_view text) {
  text = text.substr(0, kMaxText);
  const auto [at, added] = texts_.try_emplace(std::string(text), new_texts_.next);
  if (added) {
    ++new_texts_.next;
    ++new_texts_.count;
    new_texts_.rows.text(text);
  }
  return at->second;
}

Id Dictionary::process(const std::shared_ptr<const ProcessIdentity>& identity, Id replaces) {
  const auto [at, added] = process_ids_.try_emplace(identity.get(), new_processes_.next);
  if (!added) {
    return at->second;
  }
  processes_.push_back(identity);
  living_.push_back(new_processes_.next++);
  ++new_processes_.count;
  ByteWriter& row = new_processes_.rows;
  row.number(replaces == kNoId ? 0 : std::uint64_t{replaces} + 1);
  row.number(identity->task.pid);
  row.number(identity->task.start_ns);
  row.number(identity->parent_pid);
  row.number(identity->uid);
  row.number(text(identity->comm));
  row.number(text(identity->exe));
  row.number(text(identity->cmdline));
  row.number(identity->kernel_thread ? kKernelThread : 0);
  machine(row, identity->vm.get());
  return at->second;
}

void Dictionary::machine(ByteWriter& row, const VmIdentity* vm) {
  row.number(vm != nullptr ? 1 : 0);
  if (vm != nullptr) {
    row.number(text(vm->id));
    row.number(text(vm->name));
    row.number(text(vm->hypervisor));
  }
}

void Dictionary::container(ByteWriter& row, const ContainerIdentity* container) {
  row.number(container != nullptr ? 1 : 0);
  if (container == nullptr) {
    return;
  }
  row.number(text(container->id));
  row.number(text(container->runtime));
  row.number(text(container->pod_uid));
  row.number(text(container->name));
  const PodIdentity* pod = container->pod.get();
  row.number(pod != nullptr ? 1 : 0);
  if (pod == nullptr) {
    return;
  }
  for (const std::string* field :
       {&pod->uid, &pod->name, &pod->name_space, &pod->owner_kind, &pod->owner_name}) {
    row.number(text(*field));
  }
  row.number(pod->labels.size());
  for (const auto& [key, value] : pod->labels) {
    row.number(text(key));
    row.number(text(value));
  }
}

Id Dictionary::cgroup(const std::shared_ptr<const CgroupIdentity>& identity, Id replaces) {
  const auto [at, added] = cgroup_ids_.try_emplace(identity.get(), new_cgroups_.next);
  if (!added) {
    return at->second;
  }
  cgroups_.push_back(identity);
  ++new_cgroups_.next;
  ++new_cgroups_.count;
  ByteWriter& row = new_cgroups_.rows;
  row.number(replaces == kNoId ? 0 : std::uint64_t{replaces} + 1);
  row.number(identity->id);
  row.number(text(identity->path));
  container(row, identity->container ? &*identity->container : nullptr);
  machine(row, identity->vm.get());
  return at->second;
}

Id Dictionary::task(const TaskUse& use) {
  const TaskKey key{use.task, use.cgroup_id, use.socket, use.kernel_thread, use.comm};
  const auto [at, added] = task_ids_.try_emplace(key, new_tasks_.next);
  if (!added) {
    Known& known = tasks_[at->second];
    if (!std::exchange(known.active, true)) {
      active_.push_back(at->second);
    }
    return at->second;
  }
  const Id process_id = process(names_.process(use), kNoId);
  const Id cgroup_id = cgroup(names_.cgroup(use), kNoId);
  tasks_.push_back({use, process_id, cgroup_id, true});
  active_.push_back(new_tasks_.next++);
  ++new_tasks_.count;
  ByteWriter& row = new_tasks_.rows;
  row.number(use.task.pid);
  row.number(use.task.start_ns);
  row.number(use.tgid);
  row.number(static_cast<std::uint32_t>(use.socket));
  row.number(use.cgroup_id);
  row.number(text(comm_view(use.comm)));
  row.number((use.kernel_thread ? kKernelThread : 0) | (names_.selected(use) ? kSelected : 0));
  row.number(process_id);
  row.number(cgroup_id);
  return at->second;
}

void Dictionary::refresh(std::uint64_t now_ns) {
  for (const Id id : active_) {
    Known& known = tasks_[id];
    known.active = false;
    const std::shared_ptr<const ProcessIdentity> now = names_.process(known.use);
    if (now != processes_[known.process]) {
      known.process = process(now, known.process);
    }
    const std::shared_ptr<const CgroupIdentity> place = names_.cgroup(known.use);
    if (place != cgroups_[known.cgroup]) {
      known.cgroup = cgroup(place, known.cgroup);
    }
  }
  active_.clear();
  std::erase_if(living_, [&](Id id) {
    if (!names_.ended(*processes_[id])) {
      return false;
    }
    exits_.number(id);
    exits_.number(now_ns);
    ++exit_count_;
    return true;
  });
}

std::vector<Definitions> Dictionary::take() {
  std::vector<Definitions> result;
  const auto add = [&](ChunkType type, Pending& pending) {
    if (pending.count == 0) {
      return;
    }
    ByteWriter payload;
    payload.number(pending.next - pending.count);
    payload.number(pending.count);
    payload.append(pending.rows.bytes());
    result.push_back({type, payload.bytes(), pending.count});
    pending.rows.clear();
    pending.count = 0;
  };
  add(ChunkType::kStrings, new_texts_);
  add(ChunkType::kCgroups, new_cgroups_);
  add(ChunkType::kProcesses, new_processes_);
  add(ChunkType::kTasks, new_tasks_);
  if (exit_count_ > 0) {
    ByteWriter payload;
    payload.number(exit_count_);
    payload.append(exits_.bytes());
    result.push_back({ChunkType::kExits, payload.bytes(), std::exchange(exit_count_, 0)});
    exits_.clear();
  }
  return result;
}

std::size_t Dictionary::pending_bytes() const {
  return new_texts_.rows.size() + new_cgroups_.rows.size() + new_processes_.rows.size() +
         new_tasks_.rows.size();
}

bool Dictionary::large() const {
  return tasks_.size() > kLargeTasks || texts_.size() > 2 * kLargeTasks;
}

void Dictionary::begin_epoch() {
  *this = Dictionary(std::move(names_));
}

}  // namespace powertrace::record
