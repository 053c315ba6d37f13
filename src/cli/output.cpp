// SPDX-License-Identifier: Apache-2.0
#include "cli/output.hpp"

#include <cerrno>
#include <cstdlib>
#include <sys/ioctl.h>

#include <unistd.h>

namespace powertrace {
namespace {

// Command lines can be as long as the kernel allows.
constexpr std::size_t kFileColumns = 200;

}  // namespace

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

std::size_t output_columns() {
  winsize window{};
  const bool terminal = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0;
  return terminal ? window.ws_col : kFileColumns;
}

}  // namespace powertrace
