// SPDX-License-Identifier: Apache-2.0
//
// `powertrace report`: who used the energy of a recording.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "cli/options.hpp"
#include "model/rollup.hpp"

namespace powertrace {

enum class ReportFormat : std::uint8_t { kTable, kJson, kCsv };

struct ReportOptions {
  std::string file = "powertrace.data";
  Level by = Level::kProcess;
  enum class Code : std::uint8_t { kNone, kSymbol, kCaller };
  Code code = Code::kNone;  // by function, or by caller and function, instead of `by`
  SortKey sort = SortKey::kJoules;
  std::string from;  // as typed: what they mean depends on the recording
  std::string to;
  std::uint64_t top = 0;  // rows; 0: all
  ReportFormat format = ReportFormat::kTable;
  bool batch = false;  // a table also on a terminal
};

// The exit code, or an Error that main() reports and maps to one.
Result<int> run_report(const GlobalOptions& global, const ReportOptions& options);

}  // namespace powertrace
