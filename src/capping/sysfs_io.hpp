// SPDX-License-Identifier: Apache-2.0
//
// The few operations on sysfs that a controller needs, replaceable in tests. `write` is the only
// place in powertrace that opens a file under /sys for writing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace powertrace {

class SysfsIo {
 public:
  SysfsIo() = default;
  SysfsIo(const SysfsIo&) = delete;
  SysfsIo& operator=(const SysfsIo&) = delete;
  virtual ~SysfsIo() = default;

  // The whole file as it is, with its line end.
  virtual Result<std::string> read(const std::string& path);
  // In one write(2); sys_errno tells the driver's answer (ENODATA: locked).
  virtual Status write(const std::string& path, std::string_view text);
  virtual Result<std::vector<std::string>> list(const std::string& path);

  // A number with nothing but a line end after it.
  Result<std::uint64_t> read_number(const std::string& path);
};

}  // namespace powertrace
