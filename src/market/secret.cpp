// SPDX-License-Identifier: Apache-2.0
#include "market/secret.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/stat.h>

#include "base/sysroot.hpp"

namespace powertrace {

Result<std::string> read_secret(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return fail_errno(errno, "cannot read the token file {}", path);
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorCode::kUsage, "the token file {} is not a file", path);
  }
  if ((status.st_mode & S_IRWXO) != 0) {
    return fail(ErrorCode::kUsage,
                "the token file {} can be read by everybody; run `chmod 600 {}` and have the token "
                "replaced if others use this machine",
                path, path);
  }
  PT_ASSIGN(const std::string text, read_trimmed(path));
  const bool one_line = !text.empty() && std::all_of(text.begin(), text.end(),
                                                     [](char c) { return c >= 0x20 && c < 0x7F; });
  if (!one_line) {
    return fail(ErrorCode::kUsage, "the token file {} does not hold one line of plain text", path);
  }
  return text;
}

Result<Login> read_login(const std::string& path) {
  PT_ASSIGN(const std::string text, read_secret(path));
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || colon == 0) {
    return fail(ErrorCode::kUsage, "the file {} does not hold user:password", path);
  }
  return Login{text.substr(0, colon), text.substr(colon + 1)};
}

}  // namespace powertrace
