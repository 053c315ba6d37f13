// SPDX-License-Identifier: Apache-2.0
//
// From a cgroup id, which is all the kernel side knows, to the cgroup's path and container. Ids are
// never reused, so each is resolved once: from the creation events, else by a file handle, else by
// a walk over the tree. Single-threaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/fd.hpp"
#include "identity/cgroup_mount.hpp"
#include "identity/names.hpp"
#include "identity/proc_reader.hpp"
#include "model/identity.hpp"

namespace powertrace {

class CgroupTree {
 public:
  struct Options {
    std::size_t max_cached = 16384;          // the least recently used goes first
    std::size_t max_walk = 16384;            // directories looked at in one walk
    std::uint64_t retry_ns = 5'000'000'000;  // for an unknown id, and between two walks
    bool use_handles = true;
    std::vector<std::shared_ptr<NameSource>> names{};  // the last knows best
  };

  explicit CgroupTree(const SysRoot& root) : CgroupTree(root, Options()) {}
  CgroupTree(const SysRoot& root, Options options);

  [[nodiscard]] const CgroupMount& mount() const { return mount_; }

  // Never null; the path of an id that cannot be resolved is "[cgroup <id>]". `tgid` is a process
  // in it, 0 for none: /proc names its cgroup even where no cgroup file system shows it.
  std::shared_ptr<const CgroupIdentity> find(std::uint64_t id, std::uint32_t tgid = 0);
  // What an event tells, which outlives the directory. `complete`: the path was not cut.
  void learn(std::uint64_t id, std::string_view path, bool complete = true);

  // Takes what the sources of names have published by now; find() hands it out from here on.
  void refresh_names();
  // The machine of a cgroup, once the process that runs it has told more than the path does.
  void set_vm(std::uint64_t id, std::shared_ptr<const VmIdentity> vm);

  [[nodiscard]] std::size_t cached() const { return entries_.size(); }

 private:
  struct Entry {
    std::shared_ptr<const CgroupIdentity> identity;
    std::uint64_t retry_at_ns = 0;  // 0: resolved
    std::uint64_t names_seen = 0;   // names_version_ when they were looked up
  };
  using Entries = std::list<Entry>;  // most recently used first

  void name(Entry& entry) const;
  Entry& store(std::uint64_t id, std::string_view path);
  [[nodiscard]] bool is_resolved(std::uint64_t id) const;
  void resolve(std::uint64_t id, std::uint32_t tgid, std::uint64_t now_ns);
  bool resolve_by_handle(std::uint64_t id);
  void resolve_by_process(std::uint64_t id, std::uint32_t tgid);
  void walk();

  Options options_;
  ProcReader proc_;
  CgroupMount mount_;
  UniqueFd mount_fd_;
  bool handles_ = false;
  std::uint64_t next_walk_ns_ = 0;
  std::vector<std::shared_ptr<const NameTable>> tables_;
  std::uint64_t names_version_ = 1;
  Entries entries_;
  std::unordered_map<std::uint64_t, Entries::iterator> by_id_;
};

}  // namespace powertrace
