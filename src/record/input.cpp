// SPDX-License-Identifier: Apache-2.0
#include "record/input.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/stat.h>

#include <fcntl.h>
#include <unistd.h>

namespace powertrace::record {
namespace {

constexpr std::size_t kReadAhead = 256U << 10U;

}  // namespace

Result<Input> Input::open(const std::string& path) {
  Input input;
  if (path == "-") {
    input.name_ = "standard input";
    input.file_.reset(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
  } else {
    input.name_ = path;
    input.file_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  }
  if (!input.file_.valid()) {
    const int error = errno;
    if (error == EACCES) {
      return fail_errno(error, "cannot read {}: recordings belong to who made them (mode 0600)",
                        path);
    }
    return fail_errno(error, "cannot read {}", path);
  }
  struct stat status {};
  if (::fstat(input.file_.get(), &status) == 0 && S_ISDIR(status.st_mode)) {
    return fail(ErrorCode::kUsage, "{} is a directory; name a recording in it", path);
  }
  return input;
}

Result<std::string_view> Input::peek(std::size_t bytes) {
  if (buffer_.size() - at_ < bytes && !at_end_) {
    buffer_.erase(0, at_);
    at_ = 0;
    const std::size_t wanted = std::max(bytes, kReadAhead);
    while (buffer_.size() < bytes && !at_end_) {
      const std::size_t have = buffer_.size();
      buffer_.resize(wanted);
      const ssize_t count = ::read(file_.get(), buffer_.data() + have, wanted - have);
      buffer_.resize(have + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
      if (count < 0 && errno != EINTR) {
        return fail_errno(errno, "cannot read {}", name_);
      }
      at_end_ = count == 0;
    }
  }
  return std::string_view(buffer_).substr(at_, bytes);
}

}  // namespace powertrace::record
