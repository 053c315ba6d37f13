// SPDX-License-Identifier: Apache-2.0
//
// Functions that were made at run time, as runtimes write them to /tmp/perf-PID.map. Loop thread
// only.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/sysroot.hpp"

namespace powertrace::record {

class JitNames {
 public:
  explicit JitNames(const SysRoot& root) : root_(root) {}

  // "": not known. The file is looked at again every 100 ms. Valid until the next call.
  std::string_view name(std::uint32_t tgid, std::uint64_t address, std::uint64_t now_ns);

 private:
  struct Function {
    std::uint64_t size = 0;
    std::string name;
  };
  struct Process {
    std::uint64_t read_ns = 0;
    std::uint64_t bytes = 0;                      // of the file then
    std::map<std::uint64_t, Function> functions;  // by address
  };
  void read(std::uint32_t tgid, Process& process) const;

  SysRoot root_;
  std::unordered_map<std::uint32_t, Process> processes_;
};

}  // namespace powertrace::record
