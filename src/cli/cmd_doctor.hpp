// SPDX-License-Identifier: Apache-2.0
//
// `powertrace doctor`: whether powertrace can work here, and what would help.
#pragma once

#include "base/result.hpp"
#include "cli/options.hpp"

namespace powertrace {

struct DoctorOptions {
  bool json = false;
};

// The exit code, or an Error that main() reports and maps to one.
Result<int> run_doctor(const GlobalOptions& global, const DoctorOptions& options);

}  // namespace powertrace
