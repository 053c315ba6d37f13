// SPDX-License-Identifier: Apache-2.0
//
// The query API of Prometheus and VictoriaMetrics. Any thread; a request per call.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/wall_time.hpp"
#include "cost/report.hpp"
#include "net/http_client.hpp"

namespace powertrace {

struct PrometheusConfig {
  std::string url;                            // with any path prefix: http://host:9090/prom
  std::uint64_t timeout_ns = 30'000'000'000;  // of one request
  std::size_t max_bytes = std::size_t{64} << 20U;
  HttpTls tls;
  std::string bearer_token_file;
  std::string user;
  std::string password;
};

struct MetricSeries {
  std::map<std::string, std::string> labels;
  std::vector<std::pair<UtcMs, double>> values;  // NaN and infinities are left out

  [[nodiscard]] const std::string& label(const std::string& name) const;  // "" if absent
};

class PrometheusClient {
 public:
  static Result<PrometheusClient> create(PrometheusConfig config);

  // kBusy: down, slow or overloaded; kMalformed: it is no Prometheus; kUsage: it refused the query.
  Result<std::vector<MetricSeries>> query(const std::string& promql, UtcMs time) const;

  // At start, start + step, ... to end inclusive, in as many requests as the server's limit of
  // 11 000 points per series asks for.
  Result<std::vector<MetricSeries>> query_range(const std::string& promql,
                                                UtcMs start,
                                                UtcMs end,
                                                UtcMs step) const;

  [[nodiscard]] std::string describe() const;  // without secrets

 private:
  explicit PrometheusClient(PrometheusConfig config) : config_(std::move(config)) {}
  Result<std::vector<MetricSeries>> ask(const std::string& path, const std::string& form) const;

  PrometheusConfig config_;
};

// The "data" of an answer, checked. kMalformed says what is wrong. For tests and fuzzing.
Result<std::vector<MetricSeries>> parse_prometheus_answer(std::string_view body);

}  // namespace powertrace
