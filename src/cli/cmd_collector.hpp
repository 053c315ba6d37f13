// SPDX-License-Identifier: Apache-2.0
//
// powertrace collector: the cluster's cost service, on a Prometheus.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/cost_model.hpp"
#include "cli/options.hpp"
#include "history/prometheus_store.hpp"
#include "serve/listener.hpp"

namespace powertrace {

struct CollectorOptions {
  PrometheusStoreConfig store;
  CostModelOptions rates;
  std::vector<ListenAddress> listen;
  std::string web_config;  // file; empty: plain HTTP
  std::string token_file;  // empty: everybody may ask
};

Result<int> run_collector(const CollectorOptions& options);

// The token in a file, without the line's end. kUsage if there is none.
Result<std::string> read_token(const std::string& path);

}  // namespace powertrace
