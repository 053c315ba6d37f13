// SPDX-License-Identifier: Apache-2.0
#include "history/prometheus_store.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "history/prometheus_impl.hpp"

namespace powertrace {

std::vector<Windows> one_window(const TimeRange& range) {
  const UtcMs length = range.end - range.start;
  return {{range.end, range.end, length, length}};
}

std::int64_t to_nj(double joules) {
  return joules > 0 && joules < 9e9 ? std::llround(joules * 1e9) : 0;
}

Selector select(const SchemaMetric& metric) {
  Selector selector(metric.name);
  if (!metric.label.empty()) {
    selector.match(metric.label, metric.pattern);
  }
  return selector;
}

bool is_uuid(const std::string& text) {
  return text.size() == 36 && text[8] == '-' && text[13] == '-' && text[18] == '-' &&
         text[23] == '-';
}

Names names_of(const SchemaLabels& labels) {
  Names names;
  for (const std::string_view label : {labels.node, labels.name_space, labels.pod, labels.pod_uid,
                                       labels.container, labels.container_id, labels.cgroup}) {
    if (!label.empty()) {
      names.push_back(label);
    }
  }
  return names;
}

Workload workload_of(const MetricSeries& series, const SchemaLabels& labels) {
  const auto text = [&](std::string_view name) {
    return name.empty() ? std::string() : series.label(std::string(name));
  };
  Workload who;
  who.node = text(labels.node);
  who.name_space = text(labels.name_space);
  who.pod = text(labels.pod);
  who.pod_uid = text(labels.pod_uid);
  who.container = text(labels.container);
  who.container_id = text(labels.container_id);
  who.cgroup = text(labels.cgroup);
  for (const std::string& name : {who.pod_uid, who.pod, who.container_id, who.cgroup}) {
    if (const WorkloadKind kind = kind_of_name(name); kind != WorkloadKind::kWorkload) {
      Workload remainder;
      remainder.kind = kind;
      remainder.node = who.node;
      return remainder;
    }
  }
  return who;
}

EnergyKind kind_of(const SchemaMetric& metric, const MetricSeries& series) {
  return metric.by_zone ? kind_of_zone(series.label("zone")) : metric.kind;
}

bool restrict_to(Selector& selector, const SchemaLabels& labels, const WorkloadFilter& filter) {
  bool possible = true;
  const auto equal = [&](std::string_view label, const std::string& value) {
    if (!value.empty()) {
      possible = possible && !label.empty();
      if (!label.empty()) {
        selector.equal(label, value);
      }
    }
  };
  equal(labels.node, filter.node);
  equal(labels.name_space, filter.name_space);
  equal(labels.pod, filter.pod);
  const std::string& id = filter.workload;
  const std::size_t slash = id.find('/');
  if (id.empty()) {
    return possible;
  }
  if (slash == 0) {
    equal(labels.cgroup, id);
  } else if (slash != std::string::npos) {
    equal(labels.name_space, id.substr(0, slash));
    equal(labels.pod, id.substr(slash + 1));
  } else if (is_uuid(id)) {
    equal(labels.pod_uid, id);
  } else {
    equal(labels.container_id, id);
  }
  return possible;
}

Status PrometheusStore::Impl::increase(const Names& names,
                                       const Selector& selector,
                                       const std::vector<Windows>& windows,
                                       const Visit& visit) const {
  for (const Windows& each : windows) {
    const std::string promql = sum_increase(names, selector, each.asked);
    PT_ASSIGN(const std::vector<MetricSeries> answer,
              each.first == each.last
                  ? client.query(promql, each.last)
                  : client.query_range(promql, each.first, each.last, each.length));
    const double scale = static_cast<double>(each.length) / static_cast<double>(each.asked);
    for (const MetricSeries& series : answer) {
      for (const auto& [time, value] : series.values) {
        visit(series, time - each.length, time, value * scale);
      }
    }
  }
  return {};
}

Result<const Schema*> PrometheusStore::Impl::schema(const TimeRange& range) const {
  if (fixed) {
    return &schema_of(*fixed);
  }
  const UtcMs length = std::max<UtcMs>(range.end - range.start, 5 * kMinuteMs);
  for (const MetricSchema id :
       {MetricSchema::kPowertrace, MetricSchema::kKepler2, MetricSchema::kKepler1}) {
    const std::string promql =
        fmt::format("count(count_over_time({}[{}]))", schema_of(id).total.front().name,
                    promql_duration(length));
    PT_ASSIGN(const std::vector<MetricSeries> answer, client.query(promql, range.end));
    if (!answer.empty()) {
      return &schema_of(id);
    }
  }
  return &schema_of(MetricSchema::kPowertrace);  // no data is an answer too: nothing
}

SchemaLabels PrometheusStore::Impl::labels_of(SchemaLabels labels) const {
  labels.node = node_label.empty() ? labels.node : std::string_view(node_label);
  return labels;
}

PrometheusStore::PrometheusStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PrometheusStore::~PrometheusStore() = default;

Result<std::unique_ptr<PrometheusStore>> PrometheusStore::create(PrometheusStoreConfig config) {
  std::optional<MetricSchema> fixed;
  if (config.schema != "auto") {
    PT_ASSIGN(fixed, parse_schema(config.schema));
  }
  for (const char c : config.node_label) {
    const bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                    (c >= '0' && c <= '9' && &c != config.node_label.data());
    if (!ok) {
      return fail(ErrorCode::kUsage, "--node-label: \"{}\" is no name of a label",
                  config.node_label);
    }
  }
  PT_ASSIGN(PrometheusClient client, PrometheusClient::create(std::move(config.server)));
  auto impl = std::make_unique<Impl>(Impl{std::move(client), fixed, std::move(config.node_label)});
  return std::unique_ptr<PrometheusStore>(new PrometheusStore(std::move(impl)));
}

std::string PrometheusStore::describe() const {
  return impl_->client.describe();
}

Status PrometheusStore::check() const {
  PT_TRY(impl_->client.query("vector(1)", 1'000'000));
  return {};
}

}  // namespace powertrace
