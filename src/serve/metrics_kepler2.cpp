// SPDX-License-Identifier: Apache-2.0
//
// Names, types, help and labels of Kepler 0.10 and later. Node energy is split as Kepler does:
// active = energy x CPU utilisation. Workloads share the active energy by our model.
#include <array>

#include "powertrace/version.h"
#include "serve/labels.hpp"
#include "serve/metrics_rows.hpp"

namespace powertrace {
namespace {

enum Index : std::size_t {
  kNodeJoules,
  kNodeWatts,
  kActiveJoules,
  kActiveWatts,
  kIdleJoules,
  kIdleWatts,
  kUsageRatio,
  kCpuInfo,
  kProcessJoules,
  kProcessWatts,
  kProcessSeconds,
  kContainerJoules,
  kContainerWatts,
  kContainerSeconds,
  kVmJoules,
  kVmWatts,
  kPodJoules,
  kPodWatts,
  kBuildInfo,
  kCount
};

#define PT_HELP(what, state, level, unit) what " of cpu " state "at " level " level in " unit
constexpr std::string_view kProcessLabels =
    "pid,comm,exe,type,state,container_id,vm_id,zone,node_name";
constexpr std::string_view kContainerLabels =
    "container_id,container_name,runtime,state,zone,pod_id,node_name";
constexpr std::string_view kVmLabels = "vm_id,vm_name,hypervisor,state,zone,node_name";
constexpr std::string_view kPodLabels = "pod_id,pod_name,pod_namespace,state,zone,node_name";

constexpr std::array<MetricFamily, kCount> kFamilies{{
    {"kepler_node_cpu_joules_total", kCounter, PT_HELP("Energy consumption", "", "node", "joules"),
     "zone,path,node_name"},
    {"kepler_node_cpu_watts", kGauge, PT_HELP("Power consumption", "", "node", "watts"),
     "zone,path,node_name"},
    {"kepler_node_cpu_active_joules_total", kCounter,
     PT_HELP("Energy consumption", "in active state ", "node", "joules"), "zone,path,node_name"},
    {"kepler_node_cpu_active_watts", kGauge,
     PT_HELP("Power consumption", "in active state ", "node", "watts"), "zone,path,node_name"},
    {"kepler_node_cpu_idle_joules_total", kCounter,
     PT_HELP("Energy consumption", "in idle state ", "node", "joules"), "zone,path,node_name"},
    {"kepler_node_cpu_idle_watts", kGauge,
     PT_HELP("Power consumption", "in idle state ", "node", "watts"), "zone,path,node_name"},
    {"kepler_node_cpu_usage_ratio", kGauge, "CPU usage ratio of a node (value between 0.0 and 1.0)",
     "node_name"},
    {"kepler_node_cpu_info", kGauge, "CPU information from procfs",
     "processor,vendor_id,model_name,physical_id,core_id"},
    {"kepler_process_cpu_joules_total", kCounter,
     PT_HELP("Energy consumption", "", "process", "joules"), kProcessLabels},
    {"kepler_process_cpu_watts", kGauge, PT_HELP("Power consumption", "", "process", "watts"),
     kProcessLabels},
    {"kepler_process_cpu_seconds_total", kCounter,
     "Total user and system time of cpu at process level in seconds",
     "pid,comm,exe,type,container_id,vm_id,node_name"},
    {"kepler_container_cpu_joules_total", kCounter,
     PT_HELP("Energy consumption", "", "container", "joules"), kContainerLabels},
    {"kepler_container_cpu_watts", kGauge, PT_HELP("Power consumption", "", "container", "watts"),
     kContainerLabels},
    {"kepler_container_cpu_seconds_total", kCounter,
     "Total user and system time of cpu at container level in seconds",
     "container_id,container_name,runtime,state,pod_id,node_name"},
    {"kepler_vm_cpu_joules_total", kCounter, PT_HELP("Energy consumption", "", "vm", "joules"),
     kVmLabels},
    {"kepler_vm_cpu_watts", kGauge, PT_HELP("Power consumption", "", "vm", "watts"), kVmLabels},
    {"kepler_pod_cpu_joules_total", kCounter, PT_HELP("Energy consumption", "", "pod", "joules"),
     kPodLabels},
    {"kepler_pod_cpu_watts", kGauge, PT_HELP("Power consumption", "", "pod", "watts"), kPodLabels},
    {"kepler_build_info", kGauge,
     "A metric with a constant '1' value labeled with version information",
     "arch,branch,revision,version,goversion"},
}};
#undef PT_HELP

// Kepler tells where it read the zone; several sensors of a kind are one.
std::string zone_path(const AccountView& account, std::size_t kind) {
  const SensorView* only = nullptr;
  for (const SensorView& sensor : account.sensors) {
    if (sensor.counts && kind_index(sensor.zone.kind) == kind) {
      if (only != nullptr) {
        return fmt::format("aggregated-{}", zone_kind_name(sensor.zone.kind));
      }
      only = &sensor;
    }
  }
  return only == nullptr ? "" : account.snapshot->source.name + ":" + only->zone.name;
}

void write_node(const PageInput& in, MetricsWriter& out) {
  const AccountView& account = in.account;
  const double seconds = account.seconds();
  std::vector<std::string> labels;
  for (const ZoneLabel& zone : in.zones) {
    labels.push_back(
        label_list({{"node_name", in.config.node_name}, {"path", zone_path(account, zone.kind)}}));
  }
  const auto joules = [&](Index family, auto energy_of) {
    out.family(kFamilies[family]);
    for (std::size_t i = 0; i < in.zones.size(); ++i) {
      out.billionths(labels[i], in.zones[i].label, energy_of(in.zones[i].kind));
    }
  };
  const auto power = [&](Index family, auto energy_of) {
    out.family(kFamilies[family]);
    for (std::size_t i = 0; i < in.zones.size(); ++i) {
      out.real(labels[i], in.zones[i].label, watts(energy_of(in.zones[i].kind), seconds));
    }
  };
  joules(kNodeJoules, [&](std::size_t kind) { return account.energy_nj[kind]; });
  power(kNodeWatts, [&](std::size_t kind) { return account.last_energy_nj[kind]; });
  joules(kActiveJoules, [&](std::size_t kind) { return account.kepler_active_nj[kind]; });
  power(kActiveWatts, [&](std::size_t kind) { return account.last_kepler_active_nj[kind]; });
  joules(kIdleJoules, [&](std::size_t kind) {
    return account.energy_nj[kind] - account.kepler_active_nj[kind];
  });
  power(kIdleWatts, [&](std::size_t kind) {
    return account.last_energy_nj[kind] - account.last_kepler_active_nj[kind];
  });
  out.family(kFamilies[kUsageRatio]);
  out.real(label_list({{"node_name", in.config.node_name}}), "", account.usage_ratio);
  out.family(kFamilies[kCpuInfo]);
  for (const CpuDescription& cpu : in.config.cpus) {
    out.integer(label_list({{"core_id", cpu.core_id},
                            {"model_name", cpu.model_name},
                            {"physical_id", cpu.physical_id},
                            {"processor", cpu.processor},
                            {"vendor_id", cpu.vendor_id}}),
                "", 1);
  }
}

struct LevelIndex {
  AccountLevel level;
  Index joules;
  Index watts;
  Index seconds;  // kCount: this level has none
};

class LevelWriter {
 public:
  LevelWriter(const PageInput& in, MetricsWriter& out, LevelIndex index)
      : in_(in), out_(out), index_(index) {
    for (const bool terminated : {false, true}) {
      for (const ZoneLabel& zone : in.zones) {
        state_zone_[terminated ? 1 : 0].push_back(state(terminated) + "," + zone.label);
      }
    }
    const LevelRows& rows = in.level(index.level);
    for (const MetricRow& row : rows.workloads()) {
      rows_.push_back(&row);
    }
    // All that is active runs in some process; what runs outside containers, pods or machines has
    // no series there, as with Kepler, only what has been folded has.
    if (index.level == AccountLevel::kProcess) {
      for (const MetricRow& row : rows.remainders()) {
        rows_.push_back(&row);
      }
    } else if (total_nj(rows.folded().use->total.kepler_nj) > 0) {
      rows_.push_back(&rows.folded());
    }
  }

  void write() {
    out_.family(kFamilies[index_.joules]);
    for (const MetricRow* row : rows_) {
      for (std::size_t i = 0; i < in_.zones.size(); ++i) {
        out_.billionths(row->labels->kepler2, state_zone(*row, i),
                        row->use->total.kepler_nj[in_.zones[i].kind]);
      }
    }
    out_.family(kFamilies[index_.watts]);
    const std::uint64_t sequence = in_.account.snapshot->sequence;
    const double seconds = in_.account.seconds();
    for (const MetricRow* row : rows_) {
      const bool ran = row->use->sequence == sequence;
      for (std::size_t i = 0; i < in_.zones.size(); ++i) {
        out_.real(row->labels->kepler2, state_zone(*row, i),
                  ran ? watts(row->use->last_kepler_nj[in_.zones[i].kind], seconds) : 0);
      }
    }
    if (index_.seconds == kCount) {
      return;
    }
    out_.family(kFamilies[index_.seconds]);
    for (const MetricRow* row : rows_) {
      // Kepler's processes have no state here.
      out_.billionths(row->labels->kepler2,
                      index_.level == AccountLevel::kProcess ? "" : state(row->terminated),
                      static_cast<std::int64_t>(row->use->total.run_ns));
    }
  }

 private:
  static std::string state(bool terminated) {
    return terminated ? "state=\"terminated\"" : "state=\"running\"";
  }
  [[nodiscard]] const std::string& state_zone(const MetricRow& row, std::size_t zone) const {
    return state_zone_[row.terminated ? 1 : 0][zone];
  }

  const PageInput& in_;
  MetricsWriter& out_;
  LevelIndex index_;
  std::array<std::vector<std::string>, 2> state_zone_;
  std::vector<const MetricRow*> rows_;
};

std::string_view architecture() {
#if defined(__x86_64__)
  return "amd64";
#elif defined(__aarch64__)
  return "arm64";
#else
  return "";
#endif
}

}  // namespace

std::span<const MetricFamily> kepler2_families() {
  return kFamilies;
}

void write_kepler2_schema(const PageInput& in, MetricsWriter& out) {
  write_node(in, out);
  for (const LevelIndex index :
       {LevelIndex{AccountLevel::kProcess, kProcessJoules, kProcessWatts, kProcessSeconds},
        LevelIndex{AccountLevel::kContainer, kContainerJoules, kContainerWatts, kContainerSeconds},
        LevelIndex{AccountLevel::kVm, kVmJoules, kVmWatts, kCount},
        LevelIndex{AccountLevel::kPod, kPodJoules, kPodWatts, kCount}}) {
    if (in.shows(index.level)) {
      LevelWriter(in, out, index).write();
    }
  }
  out.family(kFamilies[kBuildInfo]);
  out.integer(label_list({{"arch", architecture()},
                          {"branch", ""},
                          {"goversion", ""},
                          {"revision", ""},
                          {"version", POWERTRACE_VERSION}}),
              "", 1);
}

}  // namespace powertrace
