// SPDX-License-Identifier: Apache-2.0
#include "base/sysroot.hpp"

#include <algorithm>
#include <charconv>

#include <dirent.h>
#include <fcntl.h>

#include "base/fd.hpp"

namespace powertrace {

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    return fail_errno(errno, "cannot open {}", path);
  }
  std::string text;
  while (text.size() < limit) {
    const std::size_t old_size = text.size();
    const std::size_t want = std::min<std::size_t>(limit - old_size, 16384);
    text.resize(old_size + want);
    const ssize_t got = ::read(fd.get(), text.data() + old_size, want);
    if (got < 0) {
      return fail_errno(errno, "cannot read {}", path);
    }
    text.resize(old_size + static_cast<std::size_t>(got));
    if (got == 0) {
      break;
    }
  }
  return text;
}

Result<std::string> read_trimmed(const std::string& path) {
  PT_ASSIGN(std::string text, read_file(path));
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  return text;
}

Result<std::uint64_t> read_u64(const std::string& path) {
  PT_ASSIGN(const std::string text, read_trimmed(path));
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return fail(ErrorCode::kMalformed, "{}: expected a number, found \"{}\"", path, text);
  }
  return value;
}

Result<std::vector<std::string>> list_dir(const std::string& path) {
  DIR* dir = ::opendir(path.c_str());
  if (dir == nullptr) {
    return fail_errno(errno, "cannot list {}", path);
  }
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(dir)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") {
      names.emplace_back(name);
    }
  }
  ::closedir(dir);
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::vector<int>> parse_cpu_list(std::string_view text) {
  constexpr int kMaxCpu = 1 << 16;
  std::vector<int> cpus;
  const char* at = text.data();
  const char* end = at + (text.find_last_not_of(" \t\r\n") + 1);  // npos + 1 is 0
  while (at < end) {
    int first = 0;
    auto parsed = std::from_chars(at, end, first);
    int last = first;
    if (parsed.ec == std::errc() && parsed.ptr < end && *parsed.ptr == '-') {
      parsed = std::from_chars(parsed.ptr + 1, end, last);
    }
    const bool separated = parsed.ptr == end || *parsed.ptr == ',';
    if (parsed.ec != std::errc() || !separated || first < 0 || last < first || last > kMaxCpu) {
      return fail(ErrorCode::kMalformed, "not a CPU list: \"{}\"", text);
    }
    for (int cpu = first; cpu <= last; ++cpu) {
      cpus.push_back(cpu);
    }
    at = parsed.ptr == end ? end : parsed.ptr + 1;
  }
  return cpus;
}

}  // namespace powertrace
