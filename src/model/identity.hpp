// SPDX-License-Identifier: Apache-2.0
//
// Names. Immutable once published, so that snapshots share them; identity/ makes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "model/window.hpp"

namespace powertrace {

struct ContainerIdentity {
  std::string id;       // as the runtime prints it, 64 hex digits for most
  std::string runtime;  // "docker", "containerd", "cri-o", "podman", "lxc", ...
  std::string pod_uid;  // with dashes; empty outside Kubernetes
};

struct CgroupIdentity {
  std::uint64_t id = 0;  // inode of the directory; 0: unknown
  std::string path;      // from the hierarchy's root: "/user.slice/a"; "[cgroup 123]" if unresolved
  std::optional<ContainerIdentity> container;
};

struct ProcessIdentity {
  TaskId task;  // pid is the tgid; start_ns of the thread-group leader, 0 if it was never seen
  std::uint32_t parent_pid = 0;
  std::uint32_t uid = 0;
  std::string comm;
  std::string exe;      // empty: unknown (kernel thread, or /proc unreadable)
  std::string cmdline;  // arguments joined by spaces; empty: unknown
  bool kernel_thread = false;
};

}  // namespace powertrace
