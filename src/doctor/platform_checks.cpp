// SPDX-License-Identifier: Apache-2.0
#include "doctor/checks.hpp"
#include "doctor/cpuinfo.hpp"

namespace powertrace::doctor {
namespace {

// PROC_PID_INIT_INO: the first PID namespace has this inode on every kernel.
constexpr std::string_view kFirstPidNamespace = "pid:[4026531836]";

std::string hypervisor_name(const SysRoot& root) {
  for (const char* file : {"hypervisor/type", "class/dmi/id/sys_vendor"}) {
    if (const auto text = read_trimmed(root.sys(file)); text && !text->empty()) {
      return " (" + *text + ")";
    }
  }
  return "";
}

}  // namespace

Finding check_virtual_machine(const SysRoot& root) {
  const std::string info = read_file(root.proc("cpuinfo")).value_or("");
  // arm64 has no such flag; there only a paravirtualised kernel shows.
  const bool guest = cpu_has_flag(info, "hypervisor") || read_trimmed(root.sys("hypervisor/type"));
  return {"platform.machine", FindingStatus::kOk,
          guest ? "a virtual machine" + hypervisor_name(root) : "no sign of a virtual machine",
          guest ? "hypervisors usually hide hardware and energy counters" : "", ""};
}

Finding check_pid_namespace(const SysRoot& root, std::string_view pid_namespace) {
  if (root.procfs != "/proc") {
    return {"platform.pids", FindingStatus::kOk, "processes are named from " + root.procfs, "", ""};
  }
  if (pid_namespace == kFirstPidNamespace) {
    return {"platform.pids", FindingStatus::kOk, "/proc shows every process", "", ""};
  }
  return {"platform.pids", FindingStatus::kLimited, "/proc shows this container's processes only",
          "the kernel reports all processes by their host PIDs: those that started earlier are "
          "known by their short name, or by the wrong one",
          "share the host's PID namespace (docker run --pid=host, hostPID: true), or mount the "
          "host's /proc and name it with --procfs"};
}

Finding check_cgroups(const CgroupMount& mount) {
  switch (mount.hierarchy) {
    case CgroupHierarchy::kNone:
      return {"platform.cgroups", FindingStatus::kLimited, "no cgroup file system is mounted",
              "cgroups, containers and pods cannot be named",
              "mount the host's /sys/fs/cgroup, or name its sysfs with --sysfs"};
    case CgroupHierarchy::kV2:
      break;
    case CgroupHierarchy::kHybrid:
      return {"platform.cgroups", FindingStatus::kOk, "cgroups v2 beside v1 in " + mount.directory,
              "", ""};
    case CgroupHierarchy::kV1:
      return {"platform.cgroups", FindingStatus::kOk,
              fmt::format("cgroups v1 in {} (hierarchy {})", mount.directory, mount.hierarchy_id),
              "", ""};
  }
  return {"platform.cgroups", FindingStatus::kOk, "cgroups v2 in " + mount.directory, "", ""};
}

}  // namespace powertrace::doctor
