// SPDX-License-Identifier: Apache-2.0
//
// What /proc knows about one process, best effort: a file that cannot be read costs one label.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/sysroot.hpp"
#include "model/identity.hpp"

namespace powertrace {

struct ProcStat {
  std::uint32_t pid = 0;
  std::string comm;
  std::uint32_t parent_pid = 0;
  bool kernel_thread = false;
  std::uint64_t start_ticks = 0;  // CLOCK_BOOTTIME, in clock ticks
};

// /proc/PID/stat. The comm may hold anything, blanks, newlines and ")" too. Nothing if the text is
// cut before the start time.
std::optional<ProcStat> parse_proc_stat(std::string_view text);

// The real uid in /proc/PID/status.
std::optional<std::uint32_t> parse_proc_status_uid(std::string_view text);

// /proc/PID/cmdline, or the arguments of an exec event: NUL-separated to joined by spaces.
std::string join_arguments(std::string_view arguments);

// The process's cgroup in /proc/PID/cgroup: the v2 line, or with `v1` that of cpuacct or cpu.
std::optional<std::string> parse_proc_cgroup(std::string_view text, bool v1);

// This process as the given procfs knows it: in a container without the host's pid namespace that
// is another pid than getpid() tells.
std::uint32_t own_pid(const SysRoot& root);

struct ProcRecord {
  ProcStat stat;
  std::uint32_t uid = 0;
  std::string exe;               // empty: kernel thread, or not readable
  std::string cmdline;           // joined by spaces, cut at kMaxCmdline; empty: as exe
  std::optional<VmIdentity> vm;  // from all of its arguments
};

// Any thread may use one; it holds no state but where /proc is.
class ProcReader {
 public:
  static constexpr std::size_t kMaxCmdline = 1024;

  explicit ProcReader(const SysRoot& root);

  // Nothing: no such process, or /proc hides it.
  [[nodiscard]] std::optional<ProcRecord> read(std::uint32_t pid) const;
  [[nodiscard]] std::optional<std::string> read_cgroup(std::uint32_t pid, bool v1) const;

  // /proc cuts start times to a clock tick.
  [[nodiscard]] std::uint64_t start_ns(const ProcStat& stat) const {
    return stat.start_ticks * tick_ns_;
  }
  [[nodiscard]] bool same_start(std::uint64_t cut_start_ns, std::uint64_t exact_start_ns) const {
    const std::uint64_t cut = cut_start_ns / tick_ns_;
    const std::uint64_t exact = exact_start_ns / tick_ns_;
    return cut <= exact + 1 && exact <= cut + 1;
  }

 private:
  SysRoot root_;
  std::uint64_t tick_ns_;
};

}  // namespace powertrace
