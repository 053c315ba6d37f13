// SPDX-License-Identifier: Apache-2.0
//
// The text formats of Prometheus, written straight into a string. Energy and time are printed from
// integers, so that nothing is rounded. Single-threaded.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace powertrace {

enum class MetricFormat : std::uint8_t {
  kText,         // text/plain; version=0.0.4
  kOpenMetrics,  // application/openmetrics-text; version=1.0.0
};

enum class MetricType : std::uint8_t { kCounter, kGauge };

// One family of the catalogue; constants, which the documentation is made from as well.
struct MetricFamily {
  std::string_view name;  // of the samples: counters end in _total
  MetricType type = MetricType::kGauge;
  std::string_view help;
  std::string_view labels;  // their names, comma-separated
};

class MetricsWriter {
 public:
  MetricsWriter(std::string& out, MetricFormat format) : out_(out), format_(format) {}

  // Begins a family; its samples follow.
  void family(const MetricFamily& family);

  // `labels` and `more` are finished lists without braces; either may be empty.
  void billionths(std::string_view labels, std::string_view more, std::int64_t value);
  void integer(std::string_view labels, std::string_view more, std::int64_t value);
  void real(std::string_view labels, std::string_view more, double value);

  // When a counter began, in ms since the epoch; OpenMetrics only. After the counter's sample.
  void created(std::string_view labels, std::string_view more, std::uint64_t created_ms);

  // OpenMetrics wants an end.
  void finish();

 private:
  void begin(std::string_view name, std::string_view labels, std::string_view more);
  void append_decimal(std::uint64_t whole, std::uint64_t fraction, int digits);

  std::string& out_;
  MetricFormat format_;
  std::string_view name_;
  std::string created_name_;
};

// Metrics of another room, which end up in the same page. `write` is called by HTTP threads.
struct MetricSource {
  std::span<const MetricFamily> families;
  std::function<void(MetricsWriter&)> write;
};

}  // namespace powertrace
