// SPDX-License-Identifier: Apache-2.0
//
// `powertrace stat`: energy of a command and all it starts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/options.hpp"

namespace powertrace {

enum class StatFormat : std::uint8_t { kTable, kJson, kCsv };

struct StatOptions {
  std::vector<std::string> command;  // at least the program
  std::uint64_t runs = 1;
  StatFormat format = StatFormat::kTable;
  std::string output;  // file; empty: stderr for the table, else stdout
  std::uint64_t window_ns = 100'000'000;
};

// The exit code, or an Error that main() reports and maps to one.
Result<int> run_stat(const GlobalOptions& global, const StatOptions& options);

}  // namespace powertrace
