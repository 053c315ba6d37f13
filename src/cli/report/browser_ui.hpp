// SPDX-License-Identifier: Apache-2.0
//
// A browser on the terminal, until the user leaves.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "cli/report/browser.hpp"
#include "cli/top/terminal_guard.hpp"

namespace powertrace::browse {

// The exit code.
Result<int> run_browser(top::TerminalGuard& guard, Browser& browser);

}  // namespace powertrace::browse
