// SPDX-License-Identifier: Apache-2.0
//
// Command line + configuration file -> typed options -> the command. The only user of CLI11.
#pragma once

#include "base/result.hpp"

namespace powertrace {

// Parses and runs; the exit code, or an Error for main() to report. --help and --version print.
Result<int> run_command_line(int argc, char** argv);

}  // namespace powertrace
