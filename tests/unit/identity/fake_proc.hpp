// SPDX-License-Identifier: Apache-2.0
//
// Processes in a procfs tree of a test's own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "support/temp_dir.hpp"

namespace powertrace::test {

inline std::string stat_line(std::uint32_t pid,
                             const std::string& comm,
                             std::uint32_t parent_pid,
                             std::uint64_t start_ticks,
                             std::uint64_t flags = 0x400000) {
  return std::to_string(pid) + " (" + comm + ") S " + std::to_string(parent_pid) + " 1 1 0 -1 " +
         std::to_string(flags) + " 9 0 0 0 5 6 0 0 20 0 1 0 " + std::to_string(start_ticks) +
         " 3133440 356 18446744073709551615\n";
}

struct FakeProcess {
  std::uint32_t pid = 0;
  std::string comm;
  std::uint32_t parent_pid = 1;
  std::uint64_t start_ticks = 0;
  std::string exe = "/usr/bin/web";
  std::string cmdline = std::string("web\0--port\0001\0", 13);
  std::uint32_t uid = 1000;

  void write(const TempDir& dir) const {
    const std::string base = std::to_string(pid) + "/";
    dir.write(base + "stat", stat_line(pid, comm, parent_pid, start_ticks));
    dir.write(base + "status", "Name:\tx\nUid:\t" + std::to_string(uid) + "\t0\t0\t0\n");
    dir.write(base + "cmdline", cmdline);
    dir.remove(base + "exe");
    std::filesystem::create_symlink(exe, dir.path(base + "exe"));
  }
};

}  // namespace powertrace::test
