// SPDX-License-Identifier: Apache-2.0
//
// What the command line and the configuration file say, checked and typed. Commands take these;
// only command_line.cpp knows how they were written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "model/rollup.hpp"
#include "pipeline/pipeline.hpp"

namespace powertrace {

struct GlobalOptions {
  PipelineConfig pipeline;
  bool verbose = false;
};

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

struct DoctorOptions {
  bool json = false;
};

enum class StatFormat : std::uint8_t { kTable, kJson, kCsv };

struct StatOptions {
  std::vector<std::string> command;  // at least the program
  std::uint64_t runs = 1;
  StatFormat format = StatFormat::kTable;
  std::string output;  // file; empty: stderr for the table, else stdout
  std::uint64_t window_ns = 100'000'000;
};

// Each returns the exit code, or an Error that main() reports and maps to one.
Result<int> run_top(const GlobalOptions& global, const TopOptions& options);
Result<int> run_doctor(const GlobalOptions& global, const DoctorOptions& options);
Result<int> run_stat(const GlobalOptions& global, const StatOptions& options);

}  // namespace powertrace
