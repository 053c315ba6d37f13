// SPDX-License-Identifier: Apache-2.0
#include "base/topology.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace powertrace {
namespace {

// Physical package ids are small numbers on x86; firmware of other machines may invent large ones.
constexpr int kMaxSocket = 1023;

int read_socket(const SysRoot& root, int cpu) {
  const auto id =
      read_u64(root.sys(fmt::format("devices/system/cpu/cpu{}/topology/physical_package_id", cpu)));
  return id && *id <= kMaxSocket ? static_cast<int>(*id) : 0;
}

Result<std::vector<int>> read_cpus(const SysRoot& root, const char* which) {
  PT_ASSIGN(const std::string text,
            read_file(root.sys(fmt::format("devices/system/cpu/{}", which))));
  return parse_cpu_list(text);
}

}  // namespace

int Topology::sockets() const {
  return socket_of.empty() ? 1 : *std::max_element(socket_of.begin(), socket_of.end()) + 1;
}

Result<Topology> read_topology(const SysRoot& root) {
  Topology topology;
  PT_ASSIGN(const std::vector<int> possible, read_cpus(root, "possible"));
  if (possible.empty()) {
    return fail(ErrorCode::kMalformed, "{} lists no CPU", root.sys("devices/system/cpu/possible"));
  }
  topology.possible = possible.back() + 1;
  topology.socket_of.assign(static_cast<std::size_t>(topology.possible), 0);
  PT_TRY(refresh_online(root, topology));
  return topology;
}

Status refresh_online(const SysRoot& root, Topology& topology) {
  PT_ASSIGN(std::vector<int> online, read_cpus(root, "online"));
  std::erase_if(online, [&](int cpu) { return cpu >= topology.possible; });
  for (const int cpu : online) {
    if (!std::binary_search(topology.online.begin(), topology.online.end(), cpu)) {
      topology.socket_of[static_cast<std::size_t>(cpu)] = read_socket(root, cpu);
    }
  }
  topology.online = std::move(online);
  return {};
}

}  // namespace powertrace
