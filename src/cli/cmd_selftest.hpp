// SPDX-License-Identifier: Apache-2.0
//
// `powertrace selftest`: runs work whose figures are known and looks whether powertrace finds them,
// on this very machine.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "cli/options.hpp"

namespace powertrace {

struct SelftestOptions {
  bool json = false;
  std::string load;  // be a load instead
  std::uint64_t load_ns = 0;
};

// The exit code: kExitFailed if a check failed. Skipped ones are no failure.
Result<int> run_selftest(const GlobalOptions& global, const SelftestOptions& options);

}  // namespace powertrace
