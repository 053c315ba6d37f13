// SPDX-License-Identifier: Apache-2.0
//
// The options about a Prometheus that cost and collector share.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "base/result.hpp"
#include "history/prometheus_store.hpp"

namespace powertrace {

struct RawPrometheus {
  std::string url, schema = "auto", node_label, bearer_file, ca_file, timeout = "30s";
};

void add_prometheus_options(CLI::App& command, RawPrometheus& raw);
Result<PrometheusStoreConfig> check_prometheus(const RawPrometheus& raw);

}  // namespace powertrace
