// SPDX-License-Identifier: Apache-2.0
//
// Names for what the kernel side measured: tasks to processes, ids to cgroups and containers. Names
// come from lifecycle events as they happen, else from /proc once, when a task first ran; there is
// no scan of /proc, so a process that sleeps costs nothing. Owned and called by the pipeline's
// thread only; what it hands out is immutable and outlives it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "identity/cgroup_tree.hpp"
#include "identity/proc_reader.hpp"
#include "model/identity.hpp"
#include "model/window.hpp"
#include "powertrace/abi.h"

namespace powertrace {

class IdentityCache {
 public:
  struct Options {
    std::uint64_t keep_ended_ns = 60'000'000'000;
    std::size_t max_ended = 20'000;
    std::uint64_t keep_idle_ns = 600'000'000'000;  // a living process that has not run so long
    std::size_t max_living = 65'536;
    CgroupTree::Options cgroups{};
  };

  explicit IdentityCache(const SysRoot& root) : IdentityCache(root, Options()) {}
  IdentityCache(const SysRoot& root, const Options& options);

  // A record of the ring buffer. False: not a lifecycle record, or not a whole one; it is ignored.
  bool on_event(const pt_event* event, std::size_t size);

  // The process of a task that ran; never null. The use tells the task's own start, by which a
  // reused pid is told from its predecessor, and its comm, the only name if there is no other.
  std::shared_ptr<const ProcessIdentity> process(const TaskUse& use);

  // Its last thread ended. Also false once the process has been forgotten.
  [[nodiscard]] bool terminated(const ProcessIdentity& process) const;

  // Never null. `tgid` is a process in it: where no cgroup file system shows the id, /proc does.
  std::shared_ptr<const CgroupIdentity> cgroup(std::uint64_t id, std::uint32_t tgid = 0);
  [[nodiscard]] const CgroupTree& cgroups() const { return cgroups_; }

  // Before a snapshot is named: takes what the sources of names have found out by now.
  void refresh_names() { cgroups_.refresh_names(); }

  // Once per snapshot: forgets what ended or slept too long ago. CLOCK_MONOTONIC.
  void advance(std::uint64_t now_ns);

  [[nodiscard]] std::size_t living() const { return living_.size(); }
  [[nodiscard]] std::size_t ended() const { return ended_.size(); }

 private:
  // How much of exe and cmdline is known.
  enum class Details { kUnknown, kCut, kFinal };

  struct Entry {
    std::shared_ptr<const ProcessIdentity> identity;
    std::string comm_before_exec;  // slots of the exec's window may still carry it
    Details details = Details::kUnknown;
    bool exact_start = false;  // else from /proc, cut to a tick, or 0
    bool ended = false;
    std::uint64_t last_ns = 0;  // when it was last used, or ended
  };
  using Entries = std::list<Entry>;

  void fork(const pt_event_process& event);
  void exec(const pt_event_exec& event);
  void exit(const pt_event_process& event);
  Entries::iterator from_event(const pt_event_process& event);

  [[nodiscard]] Entries::iterator find(const TaskUse& use);
  [[nodiscard]] Entries::iterator find_exact(std::uint32_t tgid, std::uint64_t start_ns);
  [[nodiscard]] const Entry* parent_of(const Entry& child) const;
  [[nodiscard]] bool is_start(const Entry& entry, std::uint64_t exact_start_ns) const;
  Entries::iterator resolve(const TaskUse& use);
  void complete(Entry& entry);
  static void refresh_comm(Entry& entry, const TaskUse& use);
  static void rename(Entry& entry, std::string_view comm);
  static void inherit(Entry& child, const Entry& parent);

  Entries::iterator insert(Entry entry);
  void end(Entries::iterator entry, std::uint64_t when_ns);
  void forget_oldest(Entries& entries);

  Options options_;
  ProcReader proc_;
  CgroupTree cgroups_;
  std::uint64_t now_ns_ = 0;
  Entries living_;  // most recently used first
  Entries ended_;   // most recently ended first
  // Processes that had this pid one after the other, the newest last.
  std::unordered_map<std::uint32_t, std::vector<Entries::iterator>> by_pid_;
};

}  // namespace powertrace
