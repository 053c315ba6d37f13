// SPDX-License-Identifier: Apache-2.0
//
// CPUs and sockets, from sysfs.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "base/sysroot.hpp"

namespace powertrace {

struct Topology {
  int possible = 0;            // CPU numbers are below this
  std::vector<int> online;     // sorted
  std::vector<int> socket_of;  // by CPU: physical package id; 0 where the kernel does not say
  [[nodiscard]] int sockets() const;  // highest socket id + 1
};

Result<Topology> read_topology(const SysRoot& root);

// Reads the online CPUs again, and the sockets of CPUs that came up. A CPU that went offline keeps
// its socket: its directory vanishes, its past does not.
Status refresh_online(const SysRoot& root, Topology& topology);

}  // namespace powertrace
