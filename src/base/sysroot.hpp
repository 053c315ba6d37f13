// SPDX-License-Identifier: Apache-2.0
//
// Where sysfs and procfs are. Every /sys and /proc path goes through here, so that a container can
// mount the host's elsewhere and a test can build a tree of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace powertrace {

struct SysRoot {
  std::string sysfs = "/sys";
  std::string procfs = "/proc";

  // sys("class/powercap") -> "/sys/class/powercap"
  [[nodiscard]] std::string sys(std::string_view path) const {
    return sysfs + "/" + std::string(path);
  }
  [[nodiscard]] std::string proc(std::string_view path) const {
    return procfs + "/" + std::string(path);
  }
};

// At most `limit` bytes of a file; longer files are cut there (sysfs and procfs report no size).
Result<std::string> read_file(const std::string& path, std::size_t limit = 1U << 20U);
// The same without trailing white space, for one-value sysfs files.
Result<std::string> read_trimmed(const std::string& path);
Result<std::uint64_t> read_u64(const std::string& path);

// Names in a directory, sorted, without "." and "..".
Result<std::vector<std::string>> list_dir(const std::string& path);

// "0-3,7,9-10" as in /sys/devices/system/cpu/online.
Result<std::vector<int>> parse_cpu_list(std::string_view text);

}  // namespace powertrace
