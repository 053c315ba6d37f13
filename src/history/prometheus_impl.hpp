// SPDX-License-Identifier: Apache-2.0
//
// What the parts of PrometheusStore share. Private to history/.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "history/prometheus_client.hpp"
#include "history/prometheus_schema.hpp"
#include "history/prometheus_store.hpp"
#include "history/promql.hpp"

namespace powertrace {

// Shorter windows may hold a single sample, from which no increase can be told; they are asked for
// at this length and scaled.
inline constexpr UtcMs kSmallestWindow = 2 * kMinuteMs;

// One evaluation of increase(): the windows that end at first, first + step, ..., last.
struct Windows {
  UtcMs first = 0;
  UtcMs last = 0;
  UtcMs length = 0;  // of each
  UtcMs asked = 0;   // length of the increase; the result is scaled by length / asked
};

// The whole range as one window.
std::vector<Windows> one_window(const TimeRange& range);

using Names = std::vector<std::string_view>;  // of labels

std::int64_t to_nj(double joules);
Selector select(const SchemaMetric& metric);
// The labels of a level that it has, to group by.
Names names_of(const SchemaLabels& labels);
Workload workload_of(const MetricSeries& series, const SchemaLabels& labels);
EnergyKind kind_of(const SchemaMetric& metric, const MetricSeries& series);
bool is_uuid(const std::string& text);

// Restricts a level's series to what the filter asks for; false: its labels cannot.
bool restrict_to(Selector& selector, const SchemaLabels& labels, const WorkloadFilter& filter);

struct PrometheusStore::Impl {
  PrometheusClient client;
  std::optional<MetricSchema> fixed;
  std::string node_label;

  using Visit = std::function<void(const MetricSeries&, UtcMs start, UtcMs end, double amount)>;

  // Calls visit for each window and series of sum by (names) (increase(selector)).
  Status increase(const Names& names,
                  const Selector& selector,
                  const std::vector<Windows>& windows,
                  const Visit& visit) const;

  // The first schema that has data in the range.
  [[nodiscard]] Result<const Schema*> schema(const TimeRange& range) const;
  [[nodiscard]] SchemaLabels labels_of(SchemaLabels labels) const;
};

}  // namespace powertrace
