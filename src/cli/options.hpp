// SPDX-License-Identifier: Apache-2.0
//
// The options that every command takes, from the command line and the configuration file, checked
// and typed. Only commands/ and command_line.cpp know how they were written.
#pragma once

#include "pipeline/pipeline.hpp"

namespace powertrace {

struct GlobalOptions {
  PipelineConfig pipeline;
  bool verbose = false;
};

}  // namespace powertrace
