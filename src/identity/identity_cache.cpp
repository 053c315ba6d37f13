// SPDX-License-Identifier: Apache-2.0
#include "identity/identity_cache.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "identity/vm.hpp"

namespace powertrace {
namespace {

constexpr std::uint32_t kKthreadd = 2;  // the parent of all kernel threads

// Neither the kernel side nor a file is trusted to end a text with NUL.
std::string_view bounded(const char* text, std::size_t size) {
  return {text, ::strnlen(text, size)};
}

bool is_leader(const TaskUse& use) {
  return use.task.pid == use.tgid;
}

// A machine without UUID and name is called after its process.
std::shared_ptr<const VmIdentity> vm_of(const ProcRecord& record, TaskId task) {
  if (!record.vm) {
    return nullptr;
  }
  auto vm = std::make_shared<VmIdentity>(*record.vm);
  vm->id = vm->id.empty() ? fmt::format("{}:{}", task.pid, task.start_ns) : vm->id;
  return vm;
}

// The record, if all of it is there.
template <typename Record>
const Record* whole(const pt_event* event, std::size_t size) {
  return size >= sizeof(Record) ? reinterpret_cast<const Record*>(event) : nullptr;
}

}  // namespace

IdentityCache::IdentityCache(const SysRoot& root, const Options& options)
    : options_(options), proc_(root), cgroups_(root, options.cgroups) {}

bool IdentityCache::on_event(const pt_event* event, std::size_t size) {
  if (event == nullptr || size < sizeof(pt_event)) {
    return false;
  }
  if (event->type == PT_EVENT_EXEC) {
    const auto* record = whole<pt_event_exec>(event, size);
    if (record != nullptr) {
      exec(*record);
    }
    return record != nullptr;
  }
  if (event->type == PT_EVENT_FORK || event->type == PT_EVENT_EXIT) {
    const auto* record = whole<pt_event_process>(event, size);
    if (record != nullptr) {
      event->type == PT_EVENT_FORK ? fork(*record) : exit(*record);
    }
    return record != nullptr;
  }
  if (event->type == PT_EVENT_CGROUP) {
    const auto* record = whole<pt_event_cgroup>(event, size);
    if (record != nullptr) {
      const std::size_t length = std::min<std::size_t>(record->path_len, sizeof(record->path));
      cgroups_.learn(record->cgroup_id, bounded(record->path, length),
                     length < sizeof(record->path));
    }
    return record != nullptr;
  }
  return false;
}

// The process of an event, made from it if it is new.
IdentityCache::Entries::iterator IdentityCache::from_event(const pt_event_process& event) {
  now_ns_ = std::max<std::uint64_t>(now_ns_, event.head.time);
  const auto known = find_exact(event.tgid, event.start_boottime);
  if (known != living_.end()) {
    return known;
  }
  ProcessIdentity identity;
  identity.task = {event.tgid, event.start_boottime};
  identity.parent_pid = event.parent_tgid;
  identity.uid = event.uid;
  identity.comm = bounded(event.comm, sizeof(event.comm));
  identity.kernel_thread = (event.flags & PT_F_KTHREAD) != 0;
  Entry entry;
  entry.details = identity.kernel_thread ? Details::kFinal : Details::kUnknown;
  entry.exact_start = true;
  entry.identity = std::make_shared<const ProcessIdentity>(std::move(identity));
  return insert(std::move(entry));
}

// Until it execs, a child runs its parent's program with its parent's arguments.
void IdentityCache::fork(const pt_event_process& event) {
  Entry& child = *from_event(event);
  const Entry* parent = parent_of(child);
  if (child.details == Details::kUnknown && parent != nullptr &&
      parent->details != Details::kUnknown) {
    inherit(child, *parent);
    child.details = parent->details;
  }
}

const IdentityCache::Entry* IdentityCache::parent_of(const Entry& child) const {
  const auto found = by_pid_.find(child.identity->parent_pid);
  if (found == by_pid_.end()) {
    return nullptr;
  }
  const auto match =
      std::find_if(found->second.rbegin(), found->second.rend(), [&](const auto& entry) {
        return entry->identity->task.start_ns <= child.identity->task.start_ns;
      });
  return match != found->second.rend() && !(*match)->identity->kernel_thread ? &**match : nullptr;
}

void IdentityCache::inherit(Entry& child, const Entry& parent) {
  ProcessIdentity identity = *child.identity;
  identity.exe = parent.identity->exe;
  identity.cmdline = parent.identity->cmdline;
  identity.vm = parent.identity->vm;
  child.identity = std::make_shared<const ProcessIdentity>(std::move(identity));
}

void IdentityCache::exec(const pt_event_exec& event) {
  const bool known = find_exact(event.process.tgid, event.process.start_boottime) != living_.end();
  Entry& entry = *from_event(event.process);
  const std::size_t path_len = std::min<std::size_t>(event.path_len, sizeof(event.path));
  const std::size_t args_len = std::min<std::size_t>(event.args_len, sizeof(event.args));
  ProcessIdentity identity = *entry.identity;
  if (known) {
    entry.comm_before_exec = identity.comm;
  }
  identity.comm = bounded(event.process.comm, sizeof(event.process.comm));
  identity.uid = event.process.uid;
  identity.exe = bounded(event.path, path_len);
  identity.cmdline = join_arguments({event.args, args_len});
  const bool whole_path = identity.exe.starts_with('/') && path_len < sizeof(event.path);
  const bool whole_args = args_len > 0 && args_len < sizeof(event.args);
  const bool vm = is_vm_program(identity.exe);  // its arguments are too long for an event
  identity.vm = nullptr;
  entry.details = whole_path && whole_args && !vm ? Details::kFinal : Details::kCut;
  entry.identity = std::make_shared<const ProcessIdentity>(std::move(identity));
}

void IdentityCache::exit(const pt_event_process& event) {
  const auto entry = from_event(event);
  const std::string_view comm = bounded(event.comm, sizeof(event.comm));
  if (!comm.empty() && comm != entry->identity->comm) {
    rename(*entry, comm);
  }
  end(entry, event.head.time);
}

std::shared_ptr<const ProcessIdentity> IdentityCache::process(const TaskUse& use) {
  auto entry = find(use);
  if (entry == living_.end()) {
    entry = resolve(use);
  } else if (!entry->ended) {
    refresh_comm(*entry, use);
  }
  complete(*entry);
  if (!entry->ended) {
    entry->last_ns = now_ns_;
    living_.splice(living_.begin(), living_, entry);
  }
  return entry->identity;
}

bool IdentityCache::terminated(const ProcessIdentity& process) const {
  const auto found = by_pid_.find(process.task.pid);
  return found != by_pid_.end() &&
         std::any_of(found->second.begin(), found->second.end(), [&](const auto& entry) {
           return entry->ended && entry->identity->task == process.task;
         });
}

bool IdentityCache::is_start(const Entry& entry, std::uint64_t exact_start_ns) const {
  const std::uint64_t start_ns = entry.identity->task.start_ns;
  if (entry.exact_start || start_ns == 0) {
    return entry.exact_start && start_ns == exact_start_ns;
  }
  return proc_.same_start(start_ns, exact_start_ns);
}

IdentityCache::Entries::iterator IdentityCache::find_exact(std::uint32_t tgid,
                                                           std::uint64_t start_ns) {
  const auto found = by_pid_.find(tgid);
  if (found == by_pid_.end()) {
    return living_.end();
  }
  const auto& generations = found->second;
  const auto match = std::find_if(generations.rbegin(), generations.rend(),
                                  [&](const auto& entry) { return is_start(*entry, start_ns); });
  if (match != generations.rend()) {
    return *match;
  }
  // Known only through threads of its while /proc hides it: this is when its leader shows up.
  const auto newest = generations.back();
  if (newest->identity->task.start_ns == 0 && !newest->ended) {
    ProcessIdentity identity = *newest->identity;
    identity.task.start_ns = start_ns;
    newest->identity = std::make_shared<const ProcessIdentity>(std::move(identity));
    newest->exact_start = true;
    return newest;
  }
  return living_.end();
}

IdentityCache::Entries::iterator IdentityCache::find(const TaskUse& use) {
  if (is_leader(use) && use.task.start_ns != 0) {
    return find_exact(use.tgid, use.task.start_ns);
  }
  const auto found = by_pid_.find(use.tgid);
  if (found == by_pid_.end()) {
    return living_.end();
  }
  if (use.task.start_ns == 0) {
    return found->second.back();
  }
  // A thread is no older than its leader.
  const auto match = std::find_if(
      found->second.rbegin(), found->second.rend(),
      [&](const auto& entry) { return entry->identity->task.start_ns <= use.task.start_ns; });
  return match != found->second.rend() ? *match : living_.end();
}

// A process of which no event told: it is older than powertrace, or its event was lost.
IdentityCache::Entries::iterator IdentityCache::resolve(const TaskUse& use) {
  const bool exact = is_leader(use) && use.task.start_ns != 0;
  ProcessIdentity identity;
  identity.task = {use.tgid, exact ? use.task.start_ns : 0};
  identity.comm = bounded(use.comm.data(), use.comm.size());
  identity.kernel_thread = use.kernel_thread;
  bool another = false;
  if (use.kernel_thread) {
    identity.parent_pid = use.tgid == kKthreadd ? 0 : kKthreadd;
  } else if (auto record = proc_.read(use.tgid)) {
    const std::uint64_t start_ns = proc_.start_ns(record->stat);
    another = exact ? !proc_.same_start(start_ns, use.task.start_ns)
                    : use.task.start_ns != 0 && start_ns > use.task.start_ns;
    if (!another) {
      identity.task.start_ns = exact ? use.task.start_ns : start_ns;
      identity.vm = vm_of(*record, identity.task);
      identity.parent_pid = record->stat.parent_pid;
      identity.uid = record->uid;
      identity.comm = std::move(record->stat.comm);
      identity.exe = std::move(record->exe);
      identity.cmdline = std::move(record->cmdline);
      identity.kernel_thread = record->stat.kernel_thread;
    }
  }
  Entry entry;
  entry.details = Details::kFinal;
  entry.exact_start = exact;
  entry.identity = std::make_shared<const ProcessIdentity>(std::move(identity));
  const auto at = insert(std::move(entry));
  if (another) {
    end(at, now_ns_);  // its pid already has a new owner
  }
  return at;
}

// One look at /proc for what the events did not tell.
void IdentityCache::complete(Entry& entry) {
  if (entry.details == Details::kFinal) {
    return;
  }
  const ProcessIdentity& now = *entry.identity;
  const auto record = entry.ended ? std::nullopt : proc_.read(now.task.pid);
  if (record && proc_.same_start(proc_.start_ns(record->stat), now.task.start_ns)) {
    ProcessIdentity identity = now;
    identity.exe = record->exe.empty() ? now.exe : record->exe;
    identity.cmdline = record->cmdline.empty() ? now.cmdline : record->cmdline;
    identity.vm = vm_of(*record, now.task);
    entry.identity = std::make_shared<const ProcessIdentity>(std::move(identity));
  } else if (entry.details == Details::kUnknown) {
    if (const Entry* parent = parent_of(entry)) {
      inherit(entry, *parent);
    }
  }
  entry.details = Details::kFinal;
}

void IdentityCache::rename(Entry& entry, std::string_view comm) {
  ProcessIdentity identity = *entry.identity;
  identity.comm = comm;
  entry.identity = std::make_shared<const ProcessIdentity>(std::move(identity));
}

// A process is called what its leader is called, which prctl() may change.
void IdentityCache::refresh_comm(Entry& entry, const TaskUse& use) {
  const std::string_view comm = bounded(use.comm.data(), use.comm.size());
  if (is_leader(use) && !comm.empty() && comm != entry.identity->comm &&
      comm != entry.comm_before_exec) {
    rename(entry, comm);
  }
}

std::shared_ptr<const CgroupIdentity> IdentityCache::cgroup(std::uint64_t id, std::uint32_t tgid) {
  auto cgroup = cgroups_.find(id, tgid);
  // The path tells a machine's name, the arguments of the process in it also the UUID.
  if (cgroup->vm && cgroup->vm->id == cgroup->vm->name) {
    const auto found = by_pid_.find(tgid);
    const auto vm = found == by_pid_.end() ? nullptr : found->second.back()->identity->vm;
    if (vm && vm->id != cgroup->vm->id) {
      cgroups_.set_vm(id, vm);
      cgroup = cgroups_.find(id, tgid);
    }
  }
  return cgroup;
}

void IdentityCache::advance(std::uint64_t now_ns) {
  now_ns_ = std::max(now_ns_, now_ns);
  while (!ended_.empty() && ended_.back().last_ns + options_.keep_ended_ns < now_ns_) {
    forget_oldest(ended_);
  }
  while (!living_.empty() && living_.back().last_ns + options_.keep_idle_ns < now_ns_) {
    forget_oldest(living_);
  }
}

IdentityCache::Entries::iterator IdentityCache::insert(Entry entry) {
  const TaskId task = entry.identity->task;
  entry.last_ns = now_ns_;
  living_.push_front(std::move(entry));
  const auto added = living_.begin();
  // Whoever had the pid before must have ended, even if nobody told.
  const auto generations = by_pid_[task.pid];
  for (const auto& other : generations) {
    if (!other->ended && other->identity->task.start_ns <= task.start_ns) {
      end(other, now_ns_);
    }
  }
  auto& sorted = by_pid_[task.pid];
  const auto at = std::find_if(sorted.begin(), sorted.end(), [&](const auto& other) {
    return other->identity->task.start_ns > task.start_ns;
  });
  const bool newest = at == sorted.end();
  sorted.insert(at, added);
  if (!newest) {
    end(added, now_ns_);
  } else if (living_.size() > std::max<std::size_t>(options_.max_living, 1)) {
    forget_oldest(living_);
  }
  return added;
}

void IdentityCache::end(Entries::iterator entry, std::uint64_t when_ns) {
  if (entry->ended) {
    return;
  }
  entry->ended = true;
  entry->last_ns = when_ns;
  ended_.splice(ended_.begin(), living_, entry);
  if (ended_.size() > std::max<std::size_t>(options_.max_ended, 1)) {
    forget_oldest(ended_);
  }
}

void IdentityCache::forget_oldest(Entries& entries) {
  const auto oldest = std::prev(entries.end());
  const auto found = by_pid_.find(oldest->identity->task.pid);
  auto& generations = found->second;
  generations.erase(std::find(generations.begin(), generations.end(), oldest));
  if (generations.empty()) {
    by_pid_.erase(found);
  }
  entries.erase(oldest);
}

}  // namespace powertrace
