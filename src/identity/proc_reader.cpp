// SPDX-License-Identifier: Apache-2.0
#include "identity/proc_reader.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>

#include <unistd.h>

#include "base/text.hpp"
#include "identity/vm.hpp"

namespace powertrace {
namespace {

// libvirt's machines have some KiB of arguments, and those that name them need not come first.
constexpr std::size_t kMaxVmCmdline = 128U << 10U;

constexpr std::uint64_t kKernelThreadFlag = 0x00200000;  // PF_KTHREAD

template <typename T>
bool parse_number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

std::string read_link(const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
  std::string_view text(target.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
  // The label of a program must not change because a package was upgraded under it.
  constexpr std::string_view kDeleted = " (deleted)";
  text.remove_suffix(text.ends_with(kDeleted) ? kDeleted.size() : 0);
  return std::string(text);
}

bool lists_cpu_time(std::string_view controllers) {
  while (!controllers.empty()) {
    const std::string_view controller = take_until(controllers, ',');
    if (controller == "cpuacct" || controller == "cpu") {
      return true;
    }
  }
  return false;
}

}  // namespace

std::optional<ProcStat> parse_proc_stat(std::string_view text) {
  constexpr int kParent = 4;
  constexpr int kFlags = 9;
  constexpr int kStart = 22;
  const std::size_t open = text.find('(');
  const std::size_t close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open ||
      open == 0 || text.size() < close + 2) {
    return std::nullopt;
  }
  ProcStat stat;
  if (!parse_number(text.substr(0, open - 1), stat.pid)) {
    return std::nullopt;
  }
  stat.comm = text.substr(open + 1, close - open - 1);
  std::string_view rest = text.substr(close + 2);
  std::uint64_t flags = 0;
  for (int field = 3; field <= kStart; ++field) {
    if (rest.find(' ') == std::string_view::npos) {
      return std::nullopt;  // cut: the number may lack digits
    }
    const std::string_view value = take_until(rest, ' ');
    if ((field == kParent && !parse_number(value, stat.parent_pid)) ||
        (field == kFlags && !parse_number(value, flags)) ||
        (field == kStart && !parse_number(value, stat.start_ticks))) {
      return std::nullopt;
    }
  }
  stat.kernel_thread = (flags & kKernelThreadFlag) != 0;
  return stat;
}

std::optional<std::uint32_t> parse_proc_status_uid(std::string_view text) {
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    if (take_until(line, '\t') == "Uid:") {
      std::uint32_t uid = 0;
      return parse_number(take_until(line, '\t'), uid) ? std::optional(uid) : std::nullopt;
    }
  }
  return std::nullopt;
}

std::string join_arguments(std::string_view arguments) {
  std::string joined(arguments.substr(0, arguments.find_last_not_of('\0') + 1));
  std::replace(joined.begin(), joined.end(), '\0', ' ');
  return joined;
}

std::optional<std::string> parse_proc_cgroup(std::string_view text, bool v1) {
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    const std::string_view hierarchy = take_until(line, ':');
    const std::string_view controllers = take_until(line, ':');
    if (line.starts_with('/') && (v1 ? lists_cpu_time(controllers) : hierarchy == "0")) {
      return std::string(line);
    }
  }
  return std::nullopt;
}

std::uint32_t own_pid(const SysRoot& root) {
  std::uint32_t pid = 0;
  return parse_number(read_link(root.proc("self")), pid) ? pid
                                                         : static_cast<std::uint32_t>(::getpid());
}

ProcReader::ProcReader(const SysRoot& root)
    : root_(root),
      tick_ns_(1'000'000'000U / static_cast<std::uint64_t>(std::max(1L, ::sysconf(_SC_CLK_TCK)))) {}

std::optional<ProcRecord> ProcReader::read(std::uint32_t pid) const {
  const std::string dir = root_.proc(std::to_string(pid));
  const auto text = read_file(dir + "/stat");
  auto stat = parse_proc_stat(text ? *text : std::string_view());
  if (!stat || stat->pid != pid) {
    return std::nullopt;
  }
  ProcRecord record;
  record.stat = std::move(*stat);
  if (const auto status = read_file(dir + "/status")) {
    record.uid = parse_proc_status_uid(*status).value_or(0);
  }
  if (!record.stat.kernel_thread) {
    record.exe = read_link(dir + "/exe");
    if (const auto cmdline = read_file(dir + "/cmdline", kMaxCmdline)) {
      record.cmdline = join_arguments(*cmdline);
      if (is_vm_program(cmdline->c_str())) {
        record.vm = parse_vm_arguments(read_file(dir + "/cmdline", kMaxVmCmdline).value_or(""));
      }
    }
  }
  return record;
}

std::optional<std::string> ProcReader::read_cgroup(std::uint32_t pid, bool v1) const {
  const auto text = read_file(root_.proc(std::to_string(pid) + "/cgroup"));
  return text ? parse_proc_cgroup(*text, v1) : std::nullopt;
}

}  // namespace powertrace
