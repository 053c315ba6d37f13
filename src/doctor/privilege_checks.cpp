// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <linux/capability.h>
#include <sys/resource.h>

#include "doctor/checks.hpp"

namespace powertrace::doctor {
namespace {

constexpr const char* kGetCapabilities =
    "run as root, or give the binary the capabilities: setcap "
    "cap_bpf,cap_perfmon,cap_dac_read_search,cap_sys_ptrace+ep powertrace";

// The text after "NAME:" in a /proc/PID/status, without blanks; "" if there is none.
std::string_view status_field(std::string_view status, std::string_view name) {
  std::size_t at = 0;
  while (at < status.size()) {
    const std::size_t end = std::min(status.find('\n', at), status.size());
    std::string_view line = status.substr(at, end - at);
    if (line.starts_with(name) && line.substr(name.size()).starts_with(":")) {
      line.remove_prefix(name.size() + 1);
      const std::size_t begin = line.find_first_not_of(" \t");
      return begin == std::string_view::npos ? std::string_view() : line.substr(begin);
    }
    at = end + 1;
  }
  return {};
}

Finding capability(
    const char* id, const char* name, bool held, FindingStatus otherwise, const char* what_for) {
  if (held) {
    return {id, FindingStatus::kOk, name, "", ""};
  }
  return {id, otherwise, fmt::format("{} is missing", name), what_for, kGetCapabilities};
}

}  // namespace

Privileges parse_privileges(std::string_view proc_status) {
  Privileges privileges;
  const std::string_view mask = status_field(proc_status, "CapEff");
  std::from_chars(mask.data(), mask.data() + mask.size(), privileges.capabilities, 16);
  // Uid: real, effective, saved, file system; files are opened as the last.
  const std::string_view uids = status_field(proc_status, "Uid");
  const std::size_t last = uids.find_last_of(" \t");
  privileges.root = last != std::string_view::npos && uids.substr(last + 1) == "0";
  return privileges;
}

std::vector<Finding> check_capabilities(const Privileges& privileges) {
  const bool admin = privileges.has(CAP_SYS_ADMIN);
  const bool reads_all =
      privileges.root || privileges.has(CAP_DAC_READ_SEARCH) || privileges.has(CAP_DAC_OVERRIDE);
  return {
      capability("privilege.bpf", "CAP_BPF", admin || privileges.has(CAP_BPF),
                 FindingStatus::kMissing, "loading the BPF programs takes it"),
      capability("privilege.perfmon", "CAP_PERFMON", admin || privileges.has(CAP_PERFMON),
                 FindingStatus::kMissing, "attaching the BPF programs to the scheduler takes it"),
      capability("privilege.files", "CAP_DAC_READ_SEARCH", reads_all, FindingStatus::kLimited,
                 "the energy counters in /sys/class/powercap are readable by root only"),
      capability("privilege.ptrace", "CAP_SYS_PTRACE", privileges.has(CAP_SYS_PTRACE),
                 FindingStatus::kLimited,
                 "the paths of other users' programs cannot be read; their names can"),
  };
}

Finding check_perf_paranoid(const SysRoot& root, const Privileges& privileges) {
  const auto text = read_trimmed(root.proc("sys/kernel/perf_event_paranoid"));
  if (!text) {
    return {"kernel.perf", FindingStatus::kLimited, "the kernel has no perf events",
            "neither hardware counters nor the energy counters of the power PMU can be read",
            "boot a kernel with CONFIG_PERF_EVENTS=y; where only /proc is hidden, mount it"};
  }
  const std::string what = "kernel.perf_event_paranoid is " + *text;
  int level = 0;
  std::from_chars(text->data(), text->data() + text->size(), level);
  if (level <= 0 || privileges.has(CAP_PERFMON) || privileges.has(CAP_SYS_ADMIN)) {
    return {"kernel.perf", FindingStatus::kOk, what, "", ""};
  }
  return {"kernel.perf", FindingStatus::kLimited, what,
          "hardware and energy counters of whole CPUs are refused to this process",
          "run with CAP_PERFMON, or sysctl kernel.perf_event_paranoid=0"};
}

Finding check_unprivileged_bpf(const SysRoot& root, const Privileges& privileges) {
  const auto text = read_trimmed(root.proc("sys/kernel/unprivileged_bpf_disabled"));
  if (!text) {
    return {"kernel.bpf", FindingStatus::kOk, "no kernel.unprivileged_bpf_disabled", "", ""};
  }
  const bool allowed = privileges.has(CAP_BPF) || privileges.has(CAP_SYS_ADMIN);
  return {"kernel.bpf", FindingStatus::kOk, "kernel.unprivileged_bpf_disabled is " + *text,
          allowed ? "" : "without CAP_BPF no value of it would be enough", ""};
}

Finding check_memlock(std::uint64_t soft_limit_bytes) {
  // Since 5.11 the memory of BPF maps is charged to the cgroup.
  return {"limits.memlock", FindingStatus::kOk,
          soft_limit_bytes == RLIM_INFINITY
              ? "locked memory is unlimited"
              : fmt::format("locked memory is limited to {} KiB, which BPF has not used since 5.11",
                            soft_limit_bytes / 1024),
          "", ""};
}

}  // namespace powertrace::doctor
