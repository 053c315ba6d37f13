// SPDX-License-Identifier: Apache-2.0
#include "cli/output.hpp"

#include <cerrno>
#include <cstdlib>

#include <unistd.h>

namespace powertrace {

Result<Written> write_all(int fd, std::string_view name, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EPIPE) {
      return Written::kReaderGone;
    } else if (errno != EINTR) {
      return fail_errno(errno, "cannot write to {}", name);
    }
  }
  return Written::kYes;
}

Result<Written> write_stdout(std::string_view text) {
  return write_all(STDOUT_FILENO, "standard output", text);
}

bool stdout_takes_colour() {
  const char* forbidden = std::getenv("NO_COLOR");
  return (forbidden == nullptr || *forbidden == '\0') && ::isatty(STDOUT_FILENO) == 1;
}

}  // namespace powertrace
