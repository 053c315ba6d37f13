// SPDX-License-Identifier: Apache-2.0
//
// A cluster's history: the counters that a Prometheus or VictoriaMetrics scraped from powertrace or
// Kepler. increase() does the sums, and with them counter resets, on the server. Any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "history/prometheus_client.hpp"
#include "history/store.hpp"

namespace powertrace {

struct PrometheusStoreConfig {
  PrometheusConfig server;
  std::string schema = "auto";  // powertrace, kepler2, kepler1; auto: the first that has data
  std::string node_label;       // empty: the schema's (instance or node_name)
};

class PrometheusStore final : public HistoryStore {
 public:
  // Asks nothing yet: a Prometheus that is down now may be up later.
  static Result<std::unique_ptr<PrometheusStore>> create(PrometheusStoreConfig config);
  PrometheusStore(const PrometheusStore&) = delete;
  PrometheusStore& operator=(const PrometheusStore&) = delete;
  ~PrometheusStore() override;

  [[nodiscard]] std::string describe() const override;
  Result<EnergyTable> energy(const EnergyQuery& query) override;
  Result<std::vector<Activity>> activity(TimeRange range,
                                         UtcMs step_ms,
                                         const WorkloadFilter& filter) override;

  // Whether it answers at all.
  Status check() const;

 private:
  struct Impl;
  class Question;
  explicit PrometheusStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace powertrace
