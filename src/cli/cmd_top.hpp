// SPDX-License-Identifier: Apache-2.0
//
// `powertrace top`: live power of everything that runs.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "cli/options.hpp"
#include "model/rollup.hpp"

namespace powertrace {

struct TopOptions {
  Level by = Level::kProcess;
  SortKey sort = SortKey::kWatts;
  std::uint64_t window_ns = 100'000'000;
  std::uint64_t interval_ns = 1'000'000'000;
  std::string filter;
  bool batch = false;
  bool json = false;
  std::uint64_t count = 0;  // intervals; 0: until stopped
};

// The exit code, or an Error that main() reports and maps to one.
Result<int> run_top(const GlobalOptions& global, const TopOptions& options);

}  // namespace powertrace
