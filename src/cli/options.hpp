// SPDX-License-Identifier: Apache-2.0
//
// The options that every command takes, from the command line and the configuration file, checked
// and typed. Only commands/ and command_line.cpp know how they were written.
#pragma once

#include <optional>
#include <string>

#include "pipeline/pipeline.hpp"

namespace powertrace {

struct GlobalOptions {
  PipelineConfig pipeline;
  std::optional<IdlePolicy> idle;  // as given; reading a recording, the default is the recorded one
  std::string replay;              // --source replay:FILE; empty: live
  bool verbose = false;
};

}  // namespace powertrace
