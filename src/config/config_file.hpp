// SPDX-License-Identifier: Apache-2.0
//
// The configuration file: YAML whose keys are the long option names, per command under the
// command's name. Strict: an unknown or repeated key is an error with its line.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace powertrace {

struct ConfigEntry {
  std::string key;  // "source", "top.window"
  std::string value;
  int line = 0;  // 1-based
};

// Nested maps become dotted keys; lists become comma-separated values.
Result<std::vector<ConfigEntry>> read_config(const std::string& path);

// kUsage for the first entry whose key is not in `known`, with its line and the nearest known key.
Status check_config_keys(const std::string& path,
                         std::span<const ConfigEntry> entries,
                         std::span<const std::string> known);

}  // namespace powertrace
