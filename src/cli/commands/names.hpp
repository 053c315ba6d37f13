// SPDX-License-Identifier: Apache-2.0
//
// The options that say where names of containers and pods come from: for every command that shows
// workloads.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "base/result.hpp"
#include "identity/name_sources.hpp"

namespace powertrace {

// As typed.
struct RawNames {
  std::string host_root = "/", kube = "off", url, token_file, ca_file, node_name, pod_labels;
  bool insecure = false;
};

void add_names_options(CLI::App& app, RawNames& raw);
Result<NamesConfig> check(const RawNames& raw);

}  // namespace powertrace
