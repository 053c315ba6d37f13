// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <charconv>

#include <unistd.h>

#include "doctor/checks.hpp"

namespace powertrace::doctor {
namespace {

// Both numbers of "6.1.0-18-amd64"; {0, 0} if it does not begin like that.
std::pair<int, int> parse_release(std::string_view release) {
  int major = 0;
  int minor = 0;
  const char* end = release.data() + release.size();
  const auto first = std::from_chars(release.data(), end, major);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '.' ||
      std::from_chars(first.ptr + 1, end, minor).ec != std::errc()) {
    return {0, 0};
  }
  return {major, minor};
}

}  // namespace

Finding check_kernel_version(const SysRoot& root) {
  Finding finding{"kernel.version", FindingStatus::kOk, "", "", ""};
  const auto release = read_trimmed(root.proc("sys/kernel/osrelease"));
  if (!release) {
    finding.status = FindingStatus::kLimited;
    finding.what = release.error().message;
    finding.why = "whether the kernel is 5.15 or later cannot be told";
    finding.remedy = "mount procfs and name it with --procfs";
    return finding;
  }
  finding.what = "kernel " + *release;
  if (parse_release(*release) < std::pair(5, 15)) {
    finding.status = FindingStatus::kMissing;
    finding.why = "the BPF programs need 5.15 or later";
    finding.remedy = "boot a newer kernel: Debian 12, Ubuntu 22.04, RHEL 9 and everything since";
  }
  return finding;
}

Finding check_btf(const SysRoot& root) {
  const std::string path = root.sys("kernel/btf/vmlinux");
  if (::access(path.c_str(), R_OK) == 0) {
    return {"kernel.btf", FindingStatus::kOk, "type information in " + path, "", ""};
  }
  return {"kernel.btf", FindingStatus::kMissing,
          "no type information (BTF): " + path + " cannot be read",
          "the BPF programs find the kernel's fields by it",
          "boot a kernel built with CONFIG_DEBUG_INFO_BTF=y, as those of all current "
          "distributions are; in a container, mount the host's /sys"};
}

Finding check_lockdown(const SysRoot& root) {
  // "none [integrity] confidentiality": the chosen word is in brackets.
  const std::string text = read_trimmed(root.sys("kernel/security/lockdown")).value_or("");
  const std::size_t open = text.find('[');
  const std::size_t close = text.find(']');
  if (open == std::string::npos || close == std::string::npos || close < open) {
    return {"kernel.lockdown", FindingStatus::kOk, "no kernel lockdown", "", ""};
  }
  const std::string mode = text.substr(open + 1, close - open - 1);
  if (mode != "confidentiality") {
    return {"kernel.lockdown", FindingStatus::kOk, "kernel lockdown: " + mode, "", ""};
  }
  return {"kernel.lockdown", FindingStatus::kLimited, "kernel lockdown: confidentiality",
          "BPF programs may not read kernel memory: names of processes and cgroups, and perhaps "
          "everything, will be missing",
          "boot with lockdown=integrity, or switch Secure Boot off"};
}

Finding check_clocksource(const SysRoot& root) {
  const auto name =
      read_trimmed(root.sys("devices/system/clocksource/clocksource0/current_clocksource"));
  if (!name) {
    return {"clock.source", FindingStatus::kLimited, name.error().message,
            "whether reading the clock is cheap cannot be told",
            "mount sysfs, or name it with "
            "--sysfs"};
  }
  static constexpr std::array<std::string_view, 4> kSlow{"hpet", "acpi_pm", "jiffies",
                                                         "refined-jiffies"};
  for (const std::string_view slow : kSlow) {
    if (*name == slow) {
      return {"clock.source", FindingStatus::kLimited, "clock source " + *name,
              "reading the clock takes a microsecond or more: watching costs more",
              "see `dmesg | grep -i tsc` for why the TSC was given up; tsc=reliable on the kernel "
              "command line keeps it"};
    }
  }
  return {"clock.source", FindingStatus::kOk, "clock source " + *name, "", ""};
}

Finding check_cpus(const Result<Topology>& topology) {
  if (!topology) {
    return {"cpu.topology", FindingStatus::kMissing, topology.error().message,
            "which CPUs there are cannot be told",
            "mount the host's /sys and name it with --sysfs"};
  }
  const std::size_t online = topology->online.size();
  return {"cpu.topology", FindingStatus::kOk,
          fmt::format("{} of {} possible CPUs online, {} {}", online, topology->possible,
                      topology->sockets(), topology->sockets() == 1 ? "socket" : "sockets"),
          "", ""};
}

Finding check_nohz_full(const SysRoot& root) {
  const std::string cpus = read_trimmed(root.sys("devices/system/cpu/nohz_full")).value_or("");
  if (cpus.empty() || cpus == "(null)") {
    return {"cpu.nohz_full", FindingStatus::kOk, "every busy CPU has a scheduler tick", "", ""};
  }
  return {"cpu.nohz_full", FindingStatus::kLimited, "no scheduler tick on CPUs " + cpus,
          "a task that runs there alone is charged up to a second late",
          "use --window 1s or longer, or do without nohz_full= on the kernel command line"};
}

}  // namespace powertrace::doctor
