// SPDX-License-Identifier: Apache-2.0
#include "push/protobuf.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include <protozero/pbf_writer.hpp>

#include "base/units.hpp"
#include "powertrace/version.h"

namespace powertrace {
namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;
using protozero::pbf_writer;

// Names are bytes; protobuf strings are UTF-8. A stray byte becomes '?'.
std::string utf8(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const std::size_t length = first < 0x80                     ? 1
                               : first >= 0xC2 && first <= 0xDF ? 2
                               : first >= 0xE0 && first <= 0xEF ? 3
                               : first >= 0xF0 && first <= 0xF4 ? 4
                                                                : 0;
    bool whole = length > 0 && i + length <= text.size();
    for (std::size_t k = 1; whole && k < length; ++k) {
      whole = (static_cast<unsigned char>(text[i + k]) & 0xC0U) == 0x80;
    }
    if (whole && length >= 3) {  // overlong forms and surrogates
      const auto second = static_cast<unsigned char>(text[i + 1]);
      whole = !(first == 0xE0 && second < 0xA0) && !(first == 0xED && second > 0x9F) &&
              !(first == 0xF0 && second < 0x90) && !(first == 0xF4 && second > 0x8F);
    }
    out += whole ? text.substr(i, length) : "?";
    i += whole ? length : 1;
  }
  return out;
}

// The labels of a row besides its metric's name; empty ones would be no labels.
Labels labels_of(const PushBatch& batch, const PushRow& row) {
  Labels labels{{"node", batch.node}, {"zone", row.zone}};
  if (row.scope == PushScope::kContainer) {
    labels.insert(labels.end(), {{"container_id", row.container_id},
                                 {"container_name", row.container},
                                 {"pod_id", row.pod_uid},
                                 {"pod_name", row.pod},
                                 {"pod_namespace", row.name_space}});
  } else {
    labels.emplace_back("in_total", "true");
  }
  std::erase_if(labels, [](const auto& label) { return label.second.empty(); });
  return labels;
}

void add_series(std::string& message,
                std::string_view name,
                Labels labels,
                double value,
                std::int64_t time_ms) {
  labels.emplace_back("__name__", name);
  std::sort(labels.begin(), labels.end());
  pbf_writer request(message);
  pbf_writer series(request, 1);
  for (const auto& [key, text] : labels) {
    pbf_writer label(series, 1);
    label.add_string(1, key);
    label.add_string(2, utf8(text));
  }
  pbf_writer sample(series, 2);
  sample.add_double(1, value);
  sample.add_int64(2, time_ms);
}

// opentelemetry.proto.common.v1.KeyValue with a string, as field `tag`.
void add_attribute(pbf_writer& parent,
                   protozero::pbf_tag_type tag,
                   std::string_view key,
                   std::string_view value) {
  pbf_writer pair(parent, tag);
  pair.add_string(1, std::string(key));
  pbf_writer any(pair, 2);
  any.add_string(1, utf8(value));
}

enum OtlpType { kGauge = 5, kSum = 7 };

struct OtlpMetric {
  std::string_view name;
  std::string_view unit;
  std::string_view about;
  OtlpType type;
  PushScope scope;
};

void add_point(pbf_writer& data,
               const OtlpMetric& metric,
               const PushBatch& batch,
               const PushRow& row) {
  pbf_writer point(data, 1);
  if (row.scope == PushScope::kNode) {
    add_attribute(point, 7, "hw.id", row.zone);
    add_attribute(point, 7, "hw.type",
                  row.zone == "dram"  ? "memory"
                  : row.zone == "gpu" ? "gpu"
                                      : "cpu");
  } else {
    const std::pair<std::string_view, const std::string&> attributes[] = {
        {"container.id", row.container_id},     {"container.name", row.container},
        {"k8s.pod.uid", row.pod_uid},           {"k8s.pod.name", row.pod},
        {"k8s.namespace.name", row.name_space}, {"zone", row.zone}};
    for (const auto& [key, value] : attributes) {
      if (!value.empty()) {
        add_attribute(point, 7, key, value);
      }
    }
  }
  if (metric.type == kSum) {
    point.add_fixed64(2, static_cast<std::uint64_t>(batch.since_ms) * 1'000'000U);
  }
  point.add_fixed64(3, static_cast<std::uint64_t>(batch.end_ms) * 1'000'000U);
  point.add_double(4, metric.type == kSum
                          ? joules(row.total_nj)
                          : joules(row.energy_nj) / std::max(batch.seconds(), 1e-3));
}

void add_metric(pbf_writer& scope, const OtlpMetric& metric, const PushBatch& batch) {
  pbf_writer out(scope, 2);
  out.add_string(1, std::string(metric.name));
  out.add_string(2, std::string(metric.about));
  out.add_string(3, std::string(metric.unit));
  pbf_writer data(out, metric.type);
  for (const PushRow& row : batch.rows) {
    if (row.scope == metric.scope) {
      add_point(data, metric, batch, row);
    }
  }
  if (metric.type == kSum) {
    data.add_enum(2, 2);  // cumulative
    data.add_bool(3, true);
  }
}

}  // namespace

std::string remote_write_request(const PushBatch& batch) {
  std::string message;
  for (const PushRow& row : batch.rows) {
    const bool node = row.scope == PushScope::kNode;
    const Labels labels = labels_of(batch, row);
    add_series(message, node ? "powertrace_node_joules_total" : "powertrace_container_joules_total",
               labels, joules(row.total_nj), batch.end_ms);
    add_series(message, node ? "powertrace_node_watts" : "powertrace_container_watts", labels,
               joules(row.energy_nj) / std::max(batch.seconds(), 1e-3), batch.end_ms);
  }
  return message;
}

std::string otlp_request(const PushBatch& batch) {
  std::string message;
  pbf_writer request(message);
  pbf_writer resource_metrics(request, 1);
  {
    pbf_writer resource(resource_metrics, 1);
    add_attribute(resource, 1, "service.name", "powertrace");
    add_attribute(resource, 1, "service.version", POWERTRACE_VERSION);
    add_attribute(resource, 1, "host.name", batch.node);
    add_attribute(resource, 1, "k8s.node.name", batch.node);
  }
  pbf_writer scope(resource_metrics, 2);
  {
    pbf_writer about(scope, 1);
    about.add_string(1, "powertrace");
    about.add_string(2, POWERTRACE_VERSION);
  }
  for (const OtlpMetric& metric :
       {OtlpMetric{"hw.energy", "J", "Energy consumed by the component", kSum, PushScope::kNode},
        OtlpMetric{"hw.power", "W", "Mean power of the component over the interval", kGauge,
                   PushScope::kNode},
        OtlpMetric{"powertrace.container.energy", "J", "Energy attributed to the container", kSum,
                   PushScope::kContainer}}) {
    add_metric(scope, metric, batch);
  }
  return message;
}

}  // namespace powertrace
