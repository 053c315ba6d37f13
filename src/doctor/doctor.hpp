// SPDX-License-Identifier: Apache-2.0
//
// Can powertrace work on this machine, how well, and what would make it better? Reads only, apart
// from loading the BPF programs for a moment. Works without any privilege: then it says which ones
// are missing.
#pragma once

#include <string>
#include <vector>

#include "base/finding.hpp"
#include "base/sysroot.hpp"
#include "energy/registry.hpp"
#include "trace/tracer.hpp"

namespace powertrace {

struct DoctorConfig {
  SysRoot root;
  std::vector<std::string> sources;  // in order of preference
  SyntheticConfig synthetic;
  TracerConfig trace;
};

// Every finding that is not kOk has a reason and a remedy. Takes about 0.1 s.
std::vector<Finding> examine(const DoctorConfig& config);

}  // namespace powertrace
