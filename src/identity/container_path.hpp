// SPDX-License-Identifier: Apache-2.0
//
// From a cgroup path to the container it belongs to. Pure; any bytes are fine.
#pragma once

#include <optional>
#include <string_view>

#include "model/identity.hpp"

namespace powertrace {

// Understands docker, containerd (CRI, nerdctl, ctr), cri-o, podman, LXC, systemd-nspawn and
// Kubernetes with both cgroup drivers, also below a cgroup namespace ("/../../burstable/...").
// - Nested: the innermost container, since it is what runs, but the outermost pod, since that one
// is
//   known to the cluster of this node.
// - A helper beside a container (conmon, lxc.monitor) and a virtual machine are no containers.
// - pod_uid is a UUID with dashes; a static pod has 32 hex digits, as in its annotation
//   kubernetes.io/config.hash. runtime is "kubernetes" for a bare id in a pod (the path does not
//   tell containerd from docker) and "unknown" for a bare id anywhere else.
std::optional<ContainerIdentity> parse_container(std::string_view cgroup_path);

}  // namespace powertrace
