// SPDX-License-Identifier: Apache-2.0
//
// Names and labels of Kepler 0.9 and earlier: a component per name, mode dynamic or idle, and two
// pseudo-containers. Dynamic is what we attribute; idle is divided evenly over processes, as there.
#include <algorithm>
#include <array>
#include <cmath>

#include "powertrace/version.h"
#include "serve/labels.hpp"
#include "serve/metrics_rows.hpp"

namespace powertrace {
namespace {

// A component of the old names and what it is the sum of.
struct Component {
  std::string_view name;
  ZoneKind kind;
};
constexpr std::size_t kComponents = 6;
constexpr std::size_t kOther = 4;
constexpr std::array<Component, kComponents> kComponentList{{{"package", ZoneKind::kPackage},
                                                             {"core", ZoneKind::kCore},
                                                             {"uncore", ZoneKind::kUncore},
                                                             {"dram", ZoneKind::kDram},
                                                             {"other", ZoneKind::kPsys},
                                                             {"platform", ZoneKind::kPsys}}};

constexpr std::string_view kNodeLabels = "package,instance,mode,source";
constexpr std::string_view kContainerLabels =
    "container_id,pod_name,container_name,container_namespace,mode,source";
constexpr std::string_view kProcessLabels = "pid,container_id,vm_id,command,mode,source";
constexpr std::string_view kVmLabels = "vm_id,mode,source";

#define PT_FAMILY(level, component, labels)                                  \
  MetricFamily {                                                             \
    "kepler_" level "_" component "_joules_total", kCounter,                 \
        "Aggregated value in " component " value from energy source", labels \
  }
#define PT_COMPONENTS(level, labels)                                        \
  PT_FAMILY(level, "package", labels), PT_FAMILY(level, "core", labels),    \
      PT_FAMILY(level, "uncore", labels), PT_FAMILY(level, "dram", labels), \
      PT_FAMILY(level, "other", labels), PT_FAMILY(level, "platform", labels)
#define PT_USAGE(level, labels)                                               \
  MetricFamily{"kepler_" level "_bpf_cpu_time_ms_total", kCounter,            \
               "Aggregated value in bpf_cpu_time_ms value from bpf", labels}, \
      MetricFamily{"kepler_" level "_cpu_cycles_total", kCounter,             \
                   "Aggregated value in cpu_cycles value from bpf", labels},  \
      MetricFamily {                                                          \
    "kepler_" level "_cpu_instructions_total", kCounter,                      \
        "Aggregated value in cpu_instructions value from bpf", labels         \
  }

constexpr std::array<MetricFamily, 6> kNode{{PT_COMPONENTS("node", kNodeLabels)}};
constexpr std::array<MetricFamily, 2> kInfo{{
    {"kepler_node_info", kGauge, "Aggregated value in info value from os",
     "cpu_architecture,components_power_source,platform_power_source,source"},
    {"kepler_exporter_build_info", kGauge,
     "A metric with a constant '1' value labeled by branch, revision, version, os and arch from "
     "which kepler_exporter was built.",
     "branch,revision,version,os,arch"},
}};
constexpr MetricFamily kContainerTotal{
    "kepler_container_joules_total", kCounter,
    "Aggregated RAPL value in socket + DRAM + GPU + other host components (platform power minus "
    "RAPL power)",
    kContainerLabels};
constexpr MetricFamily kProcessTotal{
    "kepler_process_joules_total", kCounter,
    "Aggregated RAPL value in socket + DRAM + GPU + other host components (platform power minus "
    "RAPL power)",
    kProcessLabels};

struct LevelFamilies {
  AccountLevel level;
  std::array<MetricFamily, kComponents> energy;
  const MetricFamily* total;  // null: this level has none
  std::array<MetricFamily, 3> usage;
};
const std::array<LevelFamilies, 3> kLevels{{
    {AccountLevel::kContainer,
     {PT_COMPONENTS("container", kContainerLabels)},
     &kContainerTotal,
     {PT_USAGE("container", "container_id,pod_name,container_name,container_namespace,source")}},
    {AccountLevel::kProcess,
     {PT_COMPONENTS("process", kProcessLabels)},
     &kProcessTotal,
     {PT_USAGE("process", "pid,container_id,vm_id,command,source")}},
    {AccountLevel::kVm,
     {PT_COMPONENTS("vm", kVmLabels)},
     nullptr,
     {PT_USAGE("vm", "vm_id,source")}},
}};
#undef PT_USAGE
#undef PT_COMPONENTS
#undef PT_FAMILY

// "other" is what the platform has beyond the rest.
std::int64_t component_nj(const KindEnergy& energy, std::size_t component) {
  const std::int64_t value = energy[kind_index(kComponentList[component].kind)];
  return component == kOther ? std::max<std::int64_t>(0, value - total_nj(energy)) : value;
}

std::int64_t all_nj(const KindEnergy& energy) {
  return total_nj(energy) + component_nj(energy, kOther);
}

std::string source_label(const PageInput& in, std::size_t component) {
  const SourceInfo& source = in.account.snapshot->source;
  const bool known = in.account.has_kind[kind_index(kComponentList[component].kind)];
  const std::string_view name = !known ? "none" : source.measured ? "rapl-sysfs" : "estimator";
  return label_list({{"source", name}});
}

void write_node(const PageInput& in, MetricsWriter& out) {
  const AccountView& account = in.account;
  const auto split = [](std::int64_t whole, std::int64_t idle) {
    return std::array<std::int64_t, 2>{whole - idle, idle};
  };
  for (std::size_t component = 0; component < kComponents; ++component) {
    out.family(kNode[component]);
    const auto parts =
        split(component_nj(account.energy_nj, component), component_nj(account.idle_nj, component));
    const std::string source = source_label(in, component);
    for (const std::size_t idle : {0U, 1U}) {
      // The node's name stands in "instance" there; Prometheus moves it to exported_instance.
      out.billionths(label_list({{"instance", in.config.node_name},
                                 {"mode", idle == 0 ? "dynamic" : "idle"},
                                 {"package", "0"}}),
                     source, std::max<std::int64_t>(0, parts[idle]));
    }
  }
  const std::string_view components =
      account.snapshot->source.measured ? "rapl-sysfs" : "estimator";
#if defined(__aarch64__)
  const std::string_view arch = "arm64";
#else
  const std::string_view arch = "amd64";
#endif
  out.family(kInfo[0]);
  out.integer(
      label_list({{"components_power_source", components},
                  {"cpu_architecture", in.config.cpus.empty() ? "" : in.config.cpus[0].model_name},
                  {"platform_power_source", "none"},
                  {"source", "os"}}),
      "", 1);
  out.family(kInfo[1]);
  out.integer(label_list({{"arch", arch},
                          {"branch", ""},
                          {"os", "linux"},
                          {"revision", ""},
                          {"version", POWERTRACE_VERSION}}),
              "", 1);
}

std::vector<const MetricRow*> level_rows(const PageInput& in, AccountLevel level) {
  std::vector<const MetricRow*> rows;
  const LevelRows& all = in.level(level);
  for (const MetricRow& row : all.workloads()) {
    rows.push_back(&row);
  }
  if (level == AccountLevel::kContainer) {
    rows.push_back(&all.remainders()[0]);  // kernel_processes
    rows.push_back(&all.system());         // system_processes
  } else if (level == AccountLevel::kProcess) {
    for (const MetricRow& row : all.remainders()) {
      rows.push_back(&row);
    }
  } else if (total_nj(all.folded().use->total.energy_nj) > 0) {
    rows.push_back(&all.folded());
  }
  return rows;
}

void write_level(const PageInput& in, MetricsWriter& out, const LevelFamilies& families) {
  const std::vector<const MetricRow*> rows = level_rows(in, families.level);
  const auto energy = [&](const MetricFamily& family, const std::string& source, auto value) {
    out.family(family);
    for (const MetricRow* row : rows) {
      const AccountTotals& total = row->use->total;
      out.billionths(row->labels->kepler1, "mode=\"dynamic\"," + source, value(total.energy_nj));
      out.billionths(row->labels->kepler1, "mode=\"idle\"," + source, value(total.idle_nj));
    }
  };
  for (std::size_t component = 0; component < kComponents; ++component) {
    energy(families.energy[component], source_label(in, component),
           [&](const KindEnergy& parts) { return component_nj(parts, component); });
  }
  if (families.total != nullptr) {
    energy(*families.total, "source=\"\"", all_nj);
  }
  const auto usage = [&](const MetricFamily& family, auto value) {
    out.family(family);
    for (const MetricRow* row : rows) {
      out.integer(row->labels->kepler1, "source=\"bpf\"", value(row->use->total));
    }
  };
  usage(families.usage[0], [](const AccountTotals& total) {
    return static_cast<std::int64_t>(total.run_ns / 1'000'000);
  });
  if (in.account.snapshot->counters_on) {
    usage(families.usage[1], [](const AccountTotals& total) { return std::llround(total.cycles); });
  }
  if (in.account.snapshot->instructions_on) {
    usage(families.usage[2],
          [](const AccountTotals& total) { return std::llround(total.instructions); });
  }
}

}  // namespace

std::span<const MetricFamily> kepler1_families() {
  static const std::vector<MetricFamily> all = [] {
    std::vector<MetricFamily> families(kNode.begin(), kNode.end());
    families.insert(families.end(), kInfo.begin(), kInfo.end());
    for (const LevelFamilies& level : kLevels) {
      families.insert(families.end(), level.energy.begin(), level.energy.end());
      if (level.total != nullptr) {
        families.push_back(*level.total);
      }
      families.insert(families.end(), level.usage.begin(), level.usage.end());
    }
    return families;
  }();
  return all;
}

void write_kepler1_schema(const PageInput& in, MetricsWriter& out) {
  write_node(in, out);
  for (const LevelFamilies& families : kLevels) {
    if (in.shows(families.level)) {
      write_level(in, out, families);
    }
  }
}

}  // namespace powertrace
