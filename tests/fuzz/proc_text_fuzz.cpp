// SPDX-License-Identifier: Apache-2.0
//
// The texts of /proc, with anything that a process may write into its comm and paths.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "identity/cgroup_mount.hpp"
#include "identity/proc_reader.hpp"

namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace powertrace;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto stat = parse_proc_stat(text)) {
    require(text.find("(" + stat->comm + ")") != std::string_view::npos);
  }
  parse_proc_status_uid(text);
  parse_v1_hierarchy(text);
  for (const bool v1 : {false, true}) {
    const auto cgroup = parse_proc_cgroup(text, v1);
    require(!cgroup || cgroup->starts_with('/'));
  }
  const std::string arguments = join_arguments(text);
  require(arguments.find('\0') == std::string::npos && arguments.size() <= size);
  for (const MountInfo& mount : parse_mountinfo(text)) {
    require(mount.mount_point.starts_with('/'));
  }
  return 0;
}
