// SPDX-License-Identifier: Apache-2.0
//
// `powertrace serve`: the node agent.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/agent_outputs.hpp"
#include "cli/options.hpp"
#include "serve/agent.hpp"
#include "serve/demo.hpp"
#include "serve/listener.hpp"

namespace powertrace {

struct ServeOptions {
  std::vector<ListenAddress> listen;
  std::string web_config;  // file; empty: plain HTTP, open to everybody who can connect
  std::uint64_t window_ns = 1'000'000'000;
  std::uint64_t interval_ns = 1'000'000'000;
  AgentConfig agent;
  AgentOutputOptions outputs;
  std::optional<DemoConfig> demo;  // an invented node instead of this one
  // Reads the configuration file again.
  std::function<Result<ServeOptions>()> reread;
};

// The exit code, or an Error that main() reports and maps to one.
Result<int> run_serve(const GlobalOptions& global, const ServeOptions& options);

// --describe-metrics: prints the reference of all metrics, those of cap too.
Result<int> describe_all_metrics();

}  // namespace powertrace
