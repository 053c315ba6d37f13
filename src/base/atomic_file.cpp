// SPDX-License-Identifier: Apache-2.0
#include "base/atomic_file.hpp"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.hpp"

namespace powertrace {
namespace {

Status write_and_sync(int fd, const std::string& path, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) {
      continue;
    }
    if (wrote < 0) {
      const bool full = errno == ENOSPC || errno == EDQUOT;
      return fail_errno(errno, "cannot write {}{}", path,
                        full ? "; free some space, or write elsewhere" : "");
    }
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  if (::fsync(fd) != 0) {
    return fail_errno(errno, "cannot write {} to disk", path);
  }
  return {};
}

}  // namespace

Status write_file_atomic(const std::string& path, std::string_view text, mode_t mode) {
  const std::size_t slash = path.rfind('/');
  const std::string dir = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  std::string temporary = path + ".XXXXXX";
  const UniqueFd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd.valid()) {
    return fail_errno(errno, "cannot create a file in {}", dir);
  }
  Status status = write_and_sync(fd.get(), path, text);
  if (status && ::fchmod(fd.get(), mode) != 0) {
    status = fail_errno(errno, "cannot set the mode of {}", path);
  }
  if (status && ::rename(temporary.c_str(), path.c_str()) != 0) {
    status = fail_errno(errno, "cannot replace {}", path);
  }
  if (!status) {
    ::unlink(temporary.c_str());
    return status;
  }
  // The rename itself; some file systems cannot, and then there is nothing more to do.
  const UniqueFd dir_fd(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (dir_fd.valid()) {
    (void)::fsync(dir_fd.get());
  }
  return {};
}

Status make_dirs(const std::string& path, mode_t mode) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return {};
  }
  std::filesystem::create_directories(path, error);
  if (error) {
    return fail_errno(error.value(), "cannot create the directory {}", path);
  }
  if (::chmod(path.c_str(), mode) != 0) {
    return fail_errno(errno, "cannot set the mode of {}", path);
  }
  return {};
}

}  // namespace powertrace
