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

// Each returns the exit code, or an Error that main() reports and maps to one.
Result<int> run_top(const GlobalOptions& global, const TopOptions& options);
Result<int> run_doctor(const GlobalOptions& global, const DoctorOptions& options);

}  // namespace powertrace
