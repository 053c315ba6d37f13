// SPDX-License-Identifier: Apache-2.0
#include "record/jit_names.hpp"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <sys/stat.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/fd.hpp"

namespace powertrace::record {
namespace {

constexpr std::size_t kMaxMapBytes = 16U << 20U;
constexpr std::size_t kMaxStatusBytes = 64U << 10U;
constexpr std::size_t kMaxProcesses = 4096;
constexpr std::uint64_t kWaitNs = 100'000'000;

// Its number in its own pid namespace: what it believes its name to be.
std::string own_pid(const SysRoot& root, std::uint32_t tgid) {
  const std::string text =
      read_file(root.proc(fmt::format("{}/status", tgid)), kMaxStatusBytes).value_or("");
  const std::size_t begin = text.find("\nNSpid:");
  const std::size_t end = begin == std::string::npos ? begin : text.find('\n', begin + 1);
  if (end == std::string::npos) {
    return std::to_string(tgid);
  }
  const std::string line = text.substr(begin, end - begin);
  return line.substr(line.find_last_of("\t :") + 1);
}

// Its text if it is longer than before. Anybody may have put something else there: no pipes, no
// links.
std::string changed_file(const std::string& path, std::uint64_t& bytes) {
  const UniqueFd file(
      ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (!file.valid() || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
      static_cast<std::uint64_t>(status.st_size) == bytes) {
    return "";
  }
  bytes = static_cast<std::uint64_t>(status.st_size);
  std::string text(std::min<std::size_t>(bytes, kMaxMapBytes), '\0');
  const ssize_t size = ::pread(file.get(), text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  return text;
}

}  // namespace

void JitNames::read(std::uint32_t tgid, Process& process) const {
  const std::string path = fmt::format("{}/root/tmp/perf-{}.map", tgid, own_pid(root_, tgid));
  const std::string text = changed_file(root_.proc(path), process.bytes);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    std::uint64_t start = 0;
    std::uint64_t size = 0;
    int name_at = 0;
    // NOLINTNEXTLINE(cert-err34-c): what does not parse is no function
    if (std::sscanf(line.c_str(), "%" SCNx64 " %" SCNx64 " %n", &start, &size, &name_at) == 2 &&
        name_at > 0) {
      process.functions[start] = {size, line.substr(static_cast<std::size_t>(name_at))};
    }
  }
}

std::string_view JitNames::name(std::uint32_t tgid, std::uint64_t address, std::uint64_t now_ns) {
  if (processes_.size() >= kMaxProcesses && !processes_.contains(tgid)) {
    processes_.clear();
  }
  Process& process = processes_[tgid];
  for (;;) {
    const auto next = process.functions.upper_bound(address);
    if (next != process.functions.begin()) {
      const auto& [start, function] = *std::prev(next);
      if (address - start < function.size) {
        return function.name;
      }
    }
    if (process.read_ns != 0 && now_ns < process.read_ns + kWaitNs) {
      return {};
    }
    process.read_ns = now_ns;
    read(tgid, process);
  }
}

}  // namespace powertrace::record
