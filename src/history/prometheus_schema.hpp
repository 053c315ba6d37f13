// SPDX-License-Identifier: Apache-2.0
//
// Which metrics and labels hold energy: powertrace's own, Kepler's since 0.10, Kepler's up to 0.9.
// Private to history/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "history/promql.hpp"
#include "history/workload.hpp"

namespace powertrace {

enum class MetricSchema : std::uint8_t { kPowertrace, kKepler2, kKepler1 };
std::string_view schema_name(MetricSchema schema);
Result<MetricSchema> parse_schema(std::string_view text);

// Names of labels; empty: this schema has none.
struct SchemaLabels {
  std::string_view node;
  std::string_view name_space;
  std::string_view pod;
  std::string_view pod_uid;
  std::string_view container;
  std::string_view container_id;
  std::string_view cgroup;
};

// A counter of joules, or of something else that workloads do.
struct SchemaMetric {
  std::string_view name;
  std::string_view label;    // that must match `pattern`; empty: none
  std::string_view pattern;  // our own
  EnergyKind kind = EnergyKind::kCpu;
  bool by_zone = false;  // label zone tells the kind
  double scale = 1;      // to joules or seconds
};

// What a level's series are.
struct SchemaLevel {
  std::vector<SchemaMetric> joules;
  std::vector<SchemaMetric> cpu_seconds;
  std::vector<SchemaMetric> cycles;
  std::vector<SchemaMetric> instructions;
  SchemaLabels labels;
};

struct Schema {
  MetricSchema id;
  std::vector<SchemaMetric> total;         // of nodes
  std::vector<SchemaMetric> idle;          // of nodes
  std::vector<SchemaMetric> unattributed;  // of nodes; empty: this schema has none
  bool level_is_whole = false;             // workloads, idle and unattributed add up to the total
  SchemaLevel container;
  SchemaLevel pod;     // no joules: made of containers
  SchemaLevel cgroup;  // no joules: unknown here
  std::string_view node_label;
};

const Schema& schema_of(MetricSchema id);

// The kind of a row that stands for no workload, by what its labels say.
WorkloadKind kind_of_name(std::string_view name);

// "package-0" is the processor, "dram" memory, "gpu" a GPU.
EnergyKind kind_of_zone(std::string_view zone);

}  // namespace powertrace
