// SPDX-License-Identifier: Apache-2.0
#include "energy/value_file.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <sys/stat.h>

#include <fcntl.h>
#include <unistd.h>

#include "base/text.hpp"

namespace powertrace {
namespace {

constexpr std::uint64_t kReopenNs = 1'000'000'000;

bool is_gone(int error) {
  return error == ENOENT || error == ENODEV || error == ENXIO || error == ENOTDIR;
}

// Without allocating, unlike read_trimmed().
bool file_says(const ValueFile::NameCheck& check) {
  const UniqueFd fd(::open(check.path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 128> buffer{};
  const ssize_t got = fd.valid() ? ::pread(fd.get(), buffer.data(), buffer.size(), 0) : -1;
  return got >= 0 && trimmed({buffer.data(), static_cast<std::size_t>(got)}) ==
                         std::string_view(check.expected);
}

}  // namespace

int ValueFile::open() {
  fd_.reset(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd_.valid()) {
    return errno;
  }
  for (const NameCheck& check : identity_) {
    if (!file_says(check)) {
      fd_.reset();
      return ENODEV;
    }
  }
  return 0;
}

int ValueFile::read_value(std::uint64_t& value) const {
  // sysfs answers ENODEV through the fd of a removed file; other file systems keep answering.
  struct stat status {};
  if (::fstat(fd_.get(), &status) == 0 && status.st_nlink == 0) {
    return ENODEV;
  }
  std::array<char, 64> buffer{};
  const ssize_t got = ::pread(fd_.get(), buffer.data(), buffer.size(), 0);
  if (got < 0) {
    return errno;
  }
  const std::string_view text = trimmed({buffer.data(), static_cast<std::size_t>(got)});
  if (text.empty()) {
    return ENODATA;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error != std::errc() || end != text.data() + text.size() ? EINVAL : 0;
}

int ValueFile::read(std::uint64_t now_ns, std::uint64_t& value) {
  if (!fd_.valid()) {
    if (!opened_once_ || now_ns - opened_ns_ >= kReopenNs) {
      opened_once_ = true;
      opened_ns_ = now_ns;
      error_ = open();
    }
    if (error_ != 0) {
      return error_;
    }
  }
  const int error = read_value(value);
  if (is_gone(error)) {
    fd_.reset();
    error_ = error;
  }
  return error;
}

void mark_unreadable(int error, ZoneDelta& delta) {
  delta.status = is_gone(error) ? ZoneStatus::kGone : ZoneStatus::kUnreadable;
  delta.sys_errno = error;
}

}  // namespace powertrace
