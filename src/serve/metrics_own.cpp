// SPDX-License-Identifier: Apache-2.0
//
// Our own schema.
#include <algorithm>
#include <array>
#include <cmath>

#include "serve/labels.hpp"
#include "serve/metrics_rows.hpp"

namespace powertrace {
namespace {

// What one level shows.
struct LevelFamilies {
  AccountLevel level;
  MetricFamily joules;
  MetricFamily cpu;
  MetricFamily cycles;
  MetricFamily instructions;
};

#define PT_LEVEL(level, name, what, labels)                                                   \
  LevelFamilies {                                                                             \
    level,                                                                                    \
        {"powertrace_" name "_joules_total", kCounter, "Active energy of " what ".",          \
         labels ",zone"},                                                                     \
        {"powertrace_" name "_cpu_seconds_total", kCounter, "CPU time of " what ".", labels}, \
        {"powertrace_" name "_cycles_total", kCounter,                                        \
         "CPU cycles of " what ", scaled up from the slices that were counted.", labels},     \
    {                                                                                         \
      "powertrace_" name "_instructions_total", kCounter,                                     \
          "Instructions of " what ", scaled up from the slices that were counted.", labels    \
    }                                                                                         \
  }

constexpr std::array<LevelFamilies, kAccountLevels> kLevels{
    {PT_LEVEL(AccountLevel::kCgroup,
              "cgroup",
              "a cgroup itself, without the cgroups below it",
              "cgroup"),
     PT_LEVEL(AccountLevel::kContainer,
              "container",
              "a container",
              "container_id,container_name,runtime,pod_id,pod_name,pod_namespace,owner_kind,"
              "owner_name"),
     PT_LEVEL(
         AccountLevel::kPod, "pod", "a pod", "pod_id,pod_name,pod_namespace,owner_kind,owner_name"),
     PT_LEVEL(
         AccountLevel::kVm, "vm", "a virtual machine on this node", "vm_id,vm_name,hypervisor"),
     PT_LEVEL(AccountLevel::kProcess,
              "process",
              "a process",
              "pid,comm,exe,cgroup,container_id,pod_id,vm_id")}};
#undef PT_LEVEL

constexpr std::array<MetricFamily, 14> kNode{{
    {"powertrace_node_joules_total", kCounter,
     "Energy of a zone. in_total marks the zones that add up to the node: core and uncore are "
     "parts "
     "of package, psys and platform contain it.",
     "zone,sensor,in_total"},
    {"powertrace_node_watts", kGauge, "Mean power of a zone over the last snapshot.",
     "zone,sensor,in_total"},
    {"powertrace_node_active_joules_total", kCounter,
     "Energy that was attributed to workloads, by kind of zone.", "zone"},
    {"powertrace_node_idle_joules_total", kCounter,
     "Energy that the node would have used at rest: [idle].", "zone"},
    {"powertrace_unattributed_joules_total", kCounter,
     "Energy used by nobody we know, for lost events or reasons outside the CPU.", "zone"},
    {"powertrace_node_cpu_seconds_total", kCounter, "CPU time of everything that ran.", ""},
    {"powertrace_node_cpu_capacity_seconds_total", kCounter, "CPU time that there was to use.", ""},
    {"powertrace_node_cycles_total", kCounter, "CPU cycles of everything that ran.", ""},
    {"powertrace_node_instructions_total", kCounter, "Instructions of everything that ran.", ""},
    {"powertrace_source_info", kGauge,
     "Where the energy comes from; measured=\"false\" is an estimate.", "source,measured"},
    {"powertrace_source_error_ratio", kGauge,
     "Expected relative error of an estimate; 0 for a measurement.", "source"},
    {"powertrace_attribution_info", kGauge, "How energy is attributed.", "model,idle_policy"},
    {"powertrace_pod_labels", kGauge, "The labels of a pod that were asked for, as label_NAME.",
     "pod_id,pod_name,pod_namespace,label_*"},
    {"powertrace_gone_joules_total", kCounter,
     "Energy of workloads whose series are gone. With the series of its level it adds up to "
     "powertrace_node_active_joules_total.",
     "level,zone"},
}};

std::int64_t whole(double count) {
  return static_cast<std::int64_t>(std::llround(count));
}

std::string sensor_labels(const SensorView& sensor) {
  return label_list({{"zone", zone_kind_name(sensor.zone.kind)},
                     {"sensor", sensor.zone.name},
                     {"in_total", sensor.zone.in_total ? "true" : "false"}});
}

void write_zones(const PageInput& in, MetricsWriter& out, const KindEnergy& energy) {
  for (const ZoneLabel& zone : in.zones) {
    out.billionths("", zone.label, energy[zone.kind]);
    out.created("", zone.label, in.account.start_ms);
  }
}

void write_node_energy(const PageInput& in, MetricsWriter& out) {
  const AccountView& account = in.account;
  out.family(kNode[0]);
  for (const SensorView& sensor : account.sensors) {
    out.billionths(sensor_labels(sensor), "", sensor.energy_nj);
    out.created(sensor_labels(sensor), "", account.start_ms);
  }
  out.family(kNode[1]);
  for (const SensorView& sensor : account.sensors) {
    out.real(sensor_labels(sensor), "", sensor.watts);
  }
  out.family(kNode[2]);
  write_zones(in, out, account.used.energy_nj);
  out.family(kNode[3]);
  write_zones(in, out, account.idle_nj);
  out.family(kNode[4]);
  write_zones(in, out, account.unattributed_nj);
}

void write_node_cpu(const PageInput& in, MetricsWriter& out) {
  const AccountView& account = in.account;
  const auto count = [&](const MetricFamily& family, auto write) {
    out.family(family);
    write();
    out.created("", "", account.start_ms);
  };
  count(kNode[5], [&] { out.billionths("", "", static_cast<std::int64_t>(account.used.run_ns)); });
  count(kNode[6], [&] { out.billionths("", "", static_cast<std::int64_t>(account.capacity_ns)); });
  if (account.snapshot->counters_on) {
    count(kNode[7], [&] { out.integer("", "", whole(account.used.cycles)); });
  }
  if (account.snapshot->instructions_on) {
    count(kNode[8], [&] { out.integer("", "", whole(account.used.instructions)); });
  }
}

void write_source(const PageInput& in, MetricsWriter& out) {
  const Snapshot& snapshot = *in.account.snapshot;
  out.family(kNode[9]);
  out.integer(label_list({{"source", snapshot.source.name},
                          {"measured", snapshot.source.measured ? "true" : "false"}}),
              "", 1);
  out.family(kNode[10]);
  out.real(label_list({{"source", snapshot.source.name}}), "", snapshot.source.expected_error);
  out.family(kNode[11]);
  out.integer(label_list({{"model", model_name(snapshot.model)},
                          {"idle_policy", idle_policy_name(snapshot.idle)}}),
              "", 1);
}

// Only what a label's name may hold; two labels that become one are told apart by a number.
std::string pod_labels(const PodIdentity& pod) {
  std::string list =
      label_list({{"pod_id", pod.uid}, {"pod_name", pod.name}, {"pod_namespace", pod.name_space}});
  std::vector<std::string> names;
  for (const auto& [name, value] : pod.labels) {
    std::string safe = "label_";
    for (const char c : name) {
      const bool letter =
          (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      safe += letter ? c : '_';
    }
    while (std::find(names.begin(), names.end(), safe) != names.end()) {
      safe += '_';
    }
    list += "," + label_list({{safe, value}});
    names.push_back(std::move(safe));
  }
  return list;
}

void write_pod_labels(const PageInput& in, MetricsWriter& out) {
  if (!in.shows(AccountLevel::kPod)) {
    return;
  }
  bool begun = false;
  for (const WorkloadView& workload : in.account.level(AccountLevel::kPod).workloads) {
    const PodIdentity* pod = pod_of(workload.who);
    if (pod == nullptr || pod->labels.empty()) {
      continue;
    }
    if (!begun) {
      out.family(kNode[12]);
      begun = true;
    }
    out.integer(pod_labels(*pod), "", 1);
  }
}

void write_gone(const PageInput& in, MetricsWriter& out) {
  out.family(kNode[13]);
  for (std::size_t i = 0; i < kAccountLevels; ++i) {
    const auto level = static_cast<AccountLevel>(i);
    if (!in.shows(level)) {
      continue;
    }
    const std::string label = label_list({{"level", account_level_name(level)}});
    for (const ZoneLabel& zone : in.zones) {
      out.billionths(label, zone.label, in.account.level(level).gone.energy_nj[zone.kind]);
      out.created(label, zone.label, in.account.start_ms);
    }
  }
}

void write_rows(const PageInput& in,
                MetricsWriter& out,
                const LevelFamilies& families,
                std::span<const MetricRow> rows,
                const MetricFamily& family) {
  for (const MetricRow& row : rows) {
    const std::string& labels = row.labels->own;
    const AccountTotals& total = row.use->total;
    if (&family == &families.joules) {
      for (const ZoneLabel& zone : in.zones) {
        out.billionths(labels, zone.label, total.energy_nj[zone.kind]);
        out.created(labels, zone.label, row.created_ms);
      }
      continue;
    }
    if (&family == &families.cpu) {
      out.billionths(labels, "", static_cast<std::int64_t>(total.run_ns));
    } else {
      out.integer(labels, "",
                  whole(&family == &families.cycles ? total.cycles : total.instructions));
    }
    out.created(labels, "", row.created_ms);
  }
}

void write_level(const PageInput& in, MetricsWriter& out, const LevelFamilies& families) {
  const LevelRows& rows = in.level(families.level);
  const Snapshot& snapshot = *in.account.snapshot;
  const auto write = [&](const MetricFamily& family) {
    out.family(family);
    write_rows(in, out, families, rows.workloads(), family);
    write_rows(in, out, families, rows.remainders(), family);
  };
  write(families.joules);
  write(families.cpu);
  if (snapshot.counters_on) {
    write(families.cycles);
  }
  if (snapshot.instructions_on) {
    write(families.instructions);
  }
}

}  // namespace

std::span<const MetricFamily> own_families() {
  static const std::vector<MetricFamily> all = [] {
    std::vector<MetricFamily> families(kNode.begin(), kNode.end());
    for (const LevelFamilies& level : kLevels) {
      families.insert(families.end(), {level.joules, level.cpu, level.cycles, level.instructions});
    }
    return families;
  }();
  return all;
}

void write_own_schema(const PageInput& in, MetricsWriter& out) {
  write_node_energy(in, out);
  write_node_cpu(in, out);
  write_source(in, out);
  write_pod_labels(in, out);
  write_gone(in, out);
  for (const LevelFamilies& level : kLevels) {
    if (in.shows(level.level)) {
      write_level(in, out, level);
    }
  }
}

}  // namespace powertrace
