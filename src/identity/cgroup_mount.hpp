// SPDX-License-Identifier: Apache-2.0
//
// Which cgroup hierarchy names the tasks, and where it is mounted.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/sysroot.hpp"

namespace powertrace {

// The BPF side must take ids from the same hierarchy: v2 and hybrid use the default one
// (cgroups->dfl_cgrp), v1 that of the cpuacct controller.
enum class CgroupHierarchy {
  kNone,    // no cgroup file system in sight; ids are still those of the default hierarchy
  kV2,      // one tree for everything
  kHybrid,  // a v2 tree without the controllers beside v1 ones
  kV1,
};

struct CgroupMount {
  CgroupHierarchy hierarchy = CgroupHierarchy::kNone;
  std::string directory;  // where it is mounted, as this process can open it
  std::string root;       // the cgroup shown there, "/" unless mounted partly
  int hierarchy_id = 0;   // the kernel's number of the hierarchy; 0: cgroup v2
};

// One line of mountinfo, with its octal escapes resolved.
struct MountInfo {
  std::string root;
  std::string mount_point;
  std::string type;
  std::string super_options;
};
// Lines that do not parse are left out.
std::vector<MountInfo> parse_mountinfo(std::string_view text);

// The number of the v1 hierarchy with the cpuacct (else the cpu) controller, from the text of a
// /proc/PID/cgroup; 0 if there is none.
int parse_v1_hierarchy(std::string_view text);

// Prefers a mount below <sysfs>/fs/cgroup and one that shows the whole hierarchy.
CgroupMount find_cgroup_mount(const SysRoot& root);

}  // namespace powertrace
