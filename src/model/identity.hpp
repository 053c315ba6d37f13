// SPDX-License-Identifier: Apache-2.0
//
// Names. Immutable once published, so that snapshots share them; identity/ makes them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/window.hpp"

namespace powertrace {

// A Kubernetes pod. Everything but the uid comes from the cluster or the runtime, and may be
// unknown.
struct PodIdentity {
  std::string uid;  // with dashes
  std::string name;
  std::string name_space;
  std::string owner_kind;  // of the workload that people know: "Deployment", not its "ReplicaSet"
  std::string owner_name;  // empty: a pod of its own
  std::vector<std::pair<std::string, std::string>> labels;  // those asked for, by name
  bool operator==(const PodIdentity&) const = default;
};

struct ContainerIdentity {
  std::string id;                            // as the runtime prints it, 64 hex digits for most
  std::string runtime;                       // "docker", "containerd", "cri-o", "podman", ...
  std::string pod_uid{};                     // with dashes; empty outside Kubernetes
  std::string name{};                        // empty: not known (yet). "POD": a pod's sandbox
  std::shared_ptr<const PodIdentity> pod{};  // null: no pod, or not known (yet)
  bool operator==(const ContainerIdentity&) const = default;
};

// A virtual machine on this node.
struct VmIdentity {
  std::string id;          // its UUID, else its name
  std::string name;        // empty: it has none
  std::string hypervisor;  // "kvm", "xen"
};

struct CgroupIdentity {
  std::uint64_t id = 0;  // inode of the directory; 0: unknown
  std::string path;      // from the hierarchy's root: "/user.slice/a"; "[cgroup 123]" if unresolved
  std::optional<ContainerIdentity> container{};
  std::shared_ptr<const VmIdentity> vm{};  // the machine that systemd-machined put there, or null
};

struct ProcessIdentity {
  TaskId task;  // pid is the tgid; start_ns of the thread-group leader, 0 if it was never seen
  std::uint32_t parent_pid = 0;
  std::uint32_t uid = 0;
  std::string comm;
  std::string exe;      // empty: unknown (kernel thread, or /proc unreadable)
  std::string cmdline;  // arguments joined by spaces; empty: unknown
  bool kernel_thread = false;
  std::shared_ptr<const VmIdentity> vm{};  // the machine it runs, or null
};

}  // namespace powertrace
