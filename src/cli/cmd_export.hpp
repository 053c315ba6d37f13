// SPDX-License-Identifier: Apache-2.0
//
// `powertrace export` and `powertrace diff`: recordings for other tools, and compared.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "cli/options.hpp"
#include "model/rollup.hpp"

namespace powertrace {

enum class ExportFormat : std::uint8_t {
  kFirefox,
  kPprof,
  kFolded,
  kFlameGraph,
  kSpeedscope,
  kChrome,
  kCsv,
  kJson,
};

struct ExportOptions {
  std::string file = "powertrace.data";
  ExportFormat format = ExportFormat::kFolded;
  std::string output;  // empty: standard output
  std::string from;
  std::string to;
  std::uint64_t processes = 20;  // with power tracks of their own
};

enum class DiffFormat : std::uint8_t { kTable, kJson, kCsv, kFlameGraph };

struct DiffOptions {
  std::string before;
  std::string after;
  Level by = Level::kComm;
  bool by_symbol = false;
  std::uint64_t top = 0;
  DiffFormat format = DiffFormat::kTable;
  std::string output;
};

// The exit code, or an Error that main() reports and maps to one.
Result<int> run_export(const GlobalOptions& global, const ExportOptions& options);
Result<int> run_diff(const GlobalOptions& global, const DiffOptions& options);

}  // namespace powertrace
