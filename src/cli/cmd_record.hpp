// SPDX-License-Identifier: Apache-2.0
//
// `powertrace record`: energy kept, to be looked at later.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/options.hpp"

namespace powertrace {

struct RecordOptions {
  std::string output = "powertrace.data";
  std::vector<std::string> command;  // recorded with its descendants; empty: none
  std::optional<std::uint32_t> pid;
  std::string cgroup;
  std::uint32_t sample_hz = 0;  // 0: no stacks
  bool slices = false;
  std::uint64_t window_ns = 100'000'000;
  std::uint64_t duration_ns = 0;  // 0: until stopped
  std::uint64_t max_bytes = 0;    // of one file; 0: no limit
  std::uint32_t files = 1;        // more: a ring
};

// The exit code, or an Error that main() reports and maps to one.
Result<int> run_record(const GlobalOptions& global, const RecordOptions& options);

}  // namespace powertrace
