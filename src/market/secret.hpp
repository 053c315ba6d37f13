// SPDX-License-Identifier: Apache-2.0
//
// Tokens from files, which must not be readable by everybody.
#pragma once

#include <string>

#include "base/result.hpp"

namespace powertrace {

// The one line of a file. kUsage if others than owner and group may read it, or if it does not hold
// exactly one line. The text never gets into a message.
Result<std::string> read_secret(const std::string& path);

// "user:password" of such a file.
struct Login {
  std::string user;
  std::string password;
};
Result<Login> read_login(const std::string& path);

}  // namespace powertrace
