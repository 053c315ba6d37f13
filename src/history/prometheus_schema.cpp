// SPDX-License-Identifier: Apache-2.0
#include "history/prometheus_schema.hpp"

#include <array>

#include "base/choice.hpp"

namespace powertrace {
namespace {

constexpr std::array<Choice<MetricSchema>, 3> kNames{{{"powertrace", MetricSchema::kPowertrace},
                                                      {"kepler2", MetricSchema::kKepler2},
                                                      {"kepler1", MetricSchema::kKepler1}}};

// Zones that add up: core and uncore are parts of package, psys contains it.
constexpr std::string_view kOwnZones = "package|dram|gpu";
constexpr std::string_view kKeplerZones = "package(-.*)?|dram(-.*)?";

SchemaMetric by_zone(std::string_view name, std::string_view zones) {
  return {name, "zone", zones, EnergyKind::kCpu, true, 1};
}
SchemaMetric plain(std::string_view name, EnergyKind kind = EnergyKind::kCpu, double scale = 1) {
  return {name, "", "", kind, false, scale};
}

Schema powertrace_schema() {
  Schema schema{};
  schema.id = MetricSchema::kPowertrace;
  schema.node_label = "instance";
  schema.total = {{"powertrace_node_joules_total", "in_total", "true", EnergyKind::kCpu, true, 1}};
  schema.idle = {by_zone("powertrace_node_idle_joules_total", kOwnZones)};
  schema.unattributed = {by_zone("powertrace_unattributed_joules_total", kOwnZones)};
  schema.level_is_whole = true;
  schema.container = {
      {by_zone("powertrace_container_joules_total", kOwnZones)},
      {plain("powertrace_container_cpu_seconds_total")},
      {plain("powertrace_container_cycles_total")},
      {plain("powertrace_container_instructions_total")},
      {"instance", "pod_namespace", "pod_name", "pod_id", "container_name", "container_id", ""}};
  schema.pod = {{by_zone("powertrace_pod_joules_total", kOwnZones)},
                {plain("powertrace_pod_cpu_seconds_total")},
                {},
                {},
                {"instance", "pod_namespace", "pod_name", "pod_id", "", "", ""}};
  schema.cgroup = {{by_zone("powertrace_cgroup_joules_total", kOwnZones)},
                   {plain("powertrace_cgroup_cpu_seconds_total")},
                   {},
                   {},
                   {"instance", "", "", "", "", "", "cgroup"}};
  return schema;
}

Schema kepler2_schema() {
  Schema schema{};
  schema.id = MetricSchema::kKepler2;
  schema.node_label = "node_name";
  schema.total = {by_zone("kepler_node_cpu_joules_total", kKeplerZones),
                  plain("kepler_node_gpu_joules_total", EnergyKind::kGpu)};
  schema.idle = {by_zone("kepler_node_cpu_idle_joules_total", kKeplerZones),
                 plain("kepler_node_gpu_idle_joules_total", EnergyKind::kGpu)};
  // A workload's series goes on as state="terminated", with the same counter.
  schema.container = {{by_zone("kepler_container_cpu_joules_total", kKeplerZones),
                       plain("kepler_container_gpu_joules_total", EnergyKind::kGpu)},
                      {plain("kepler_container_cpu_seconds_total")},
                      {},
                      {},
                      {"node_name", "", "", "pod_id", "container_name", "container_id", ""}};
  schema.pod = {{by_zone("kepler_pod_cpu_joules_total", kKeplerZones),
                 plain("kepler_pod_gpu_joules_total", EnergyKind::kGpu)},
                {},
                {},
                {},
                {"node_name", "pod_namespace", "pod_name", "pod_id", "", "", ""}};
  return schema;
}

Schema kepler1_schema() {
  Schema schema{};
  schema.id = MetricSchema::kKepler1;
  schema.node_label = "instance";
  // Both modes together are the node's energy.
  schema.total = {plain("kepler_node_package_joules_total"),
                  plain("kepler_node_dram_joules_total", EnergyKind::kDram),
                  plain("kepler_node_gpu_joules_total", EnergyKind::kGpu)};
  schema.idle = {{"kepler_node_package_joules_total", "mode", "idle", EnergyKind::kCpu, false, 1},
                 {"kepler_node_dram_joules_total", "mode", "idle", EnergyKind::kDram, false, 1}};
  schema.container = {
      {{"kepler_container_package_joules_total", "mode", "dynamic", EnergyKind::kCpu, false, 1},
       {"kepler_container_dram_joules_total", "mode", "dynamic", EnergyKind::kDram, false, 1},
       {"kepler_container_gpu_joules_total", "mode", "dynamic", EnergyKind::kGpu, false, 1}},
      {plain("kepler_container_bpf_cpu_time_ms_total", EnergyKind::kCpu, 1e-3)},
      {plain("kepler_container_cpu_cycles_total")},
      {plain("kepler_container_cpu_instructions_total")},
      {"instance", "container_namespace", "pod_name", "", "container_name", "container_id", ""}};
  return schema;
}

}  // namespace

std::string_view schema_name(MetricSchema schema) {
  return choice_name(kNames, schema);
}
Result<MetricSchema> parse_schema(std::string_view text) {
  return parse_choice("a schema of metrics", text, kNames);
}

const Schema& schema_of(MetricSchema id) {
  static const std::array<Schema, 3> kSchemas{powertrace_schema(), kepler2_schema(),
                                              kepler1_schema()};
  return kSchemas[static_cast<std::size_t>(id)];
}

WorkloadKind kind_of_name(std::string_view name) {
  if (name == "[kernel]" || name == "kernel_processes") {
    return WorkloadKind::kKernel;
  }
  if (name == "[powertrace]") {
    return WorkloadKind::kPowertrace;
  }
  if (name == "[others]" || name == "system_processes") {
    return WorkloadKind::kOther;
  }
  if (name == "[unattributed]") {
    return WorkloadKind::kUnattributed;
  }
  return name == "[idle]" ? WorkloadKind::kIdle : WorkloadKind::kWorkload;
}

EnergyKind kind_of_zone(std::string_view zone) {
  if (zone.substr(0, 4) == "dram") {
    return EnergyKind::kDram;
  }
  return zone.substr(0, 3) == "gpu" ? EnergyKind::kGpu : EnergyKind::kCpu;
}

}  // namespace powertrace
