// SPDX-License-Identifier: Apache-2.0
//
// The options of serve about its history and the systems it pushes to.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "cli/agent_outputs.hpp"

namespace powertrace {

struct RawAgentOutputs {
  AgentOutputOptions options;
  std::string size = "512", minutes = "168h", hours = "9600h", push_interval = "10s";
};

void add_agent_output_options(CLI::App& serve, RawAgentOutputs& raw);
Result<AgentOutputOptions> check_agent_outputs(const RawAgentOutputs& raw);

}  // namespace powertrace
