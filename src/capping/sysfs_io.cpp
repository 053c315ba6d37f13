// SPDX-License-Identifier: Apache-2.0
#include "capping/sysfs_io.hpp"

#include <cerrno>
#include <charconv>

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.hpp"
#include "base/sysroot.hpp"

namespace powertrace {

Result<std::string> SysfsIo::read(const std::string& path) {
  return read_file(path, 4096);
}

Status SysfsIo::write(const std::string& path, std::string_view text) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  if (!fd.valid()) {
    return fail_errno(errno, "cannot open {} for writing", path);
  }
  const ssize_t wrote = ::write(fd.get(), text.data(), text.size());
  if (wrote < 0) {
    return fail_errno(errno, "cannot write {}", path);
  }
  if (static_cast<std::size_t>(wrote) != text.size()) {
    return fail(ErrorCode::kIo, "{} took only {} of {} bytes", path, wrote, text.size());
  }
  return {};
}

Result<std::vector<std::string>> SysfsIo::list(const std::string& path) {
  return list_dir(path);
}

Result<std::uint64_t> SysfsIo::read_number(const std::string& path) {
  PT_ASSIGN(const std::string text, read(path));
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (error != std::errc() || rest.find_first_not_of('\n') != std::string_view::npos) {
    return fail(ErrorCode::kMalformed, "{}: expected a number, found \"{}\"", path,
                text.substr(0, 40));
  }
  return value;
}

}  // namespace powertrace
