// SPDX-License-Identifier: Apache-2.0
//
// Words of /proc/cpuinfo's "flags" line. Pure.
#pragma once

#include <string>
#include <string_view>

namespace powertrace::doctor {

inline bool cpu_has_flag(std::string_view cpuinfo, std::string_view flag) {
  const std::size_t begin = cpuinfo.find("\nflags");
  if (begin == std::string_view::npos) {
    return false;
  }
  const std::string_view line =
      cpuinfo.substr(begin + 1, cpuinfo.find('\n', begin + 1) - begin - 1);
  return (std::string(line) + " ").find(" " + std::string(flag) + " ") != std::string::npos;
}

}  // namespace powertrace::doctor
