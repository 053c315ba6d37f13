// SPDX-License-Identifier: Apache-2.0
//
// powertrace about itself: its cost, its losses, its state.
#include <array>

#include "powertrace/version.h"
#include "serve/labels.hpp"
#include "serve/metrics_rows.hpp"

namespace powertrace {
namespace {

enum Index : std::size_t {
  kBuild,
  kSnapshotTime,
  kSnapshots,
  kWindows,
  kZoneUp,
  kZoneFailures,
  kSelfCpu,
  kSelfJoules,
  kSwitches,
  kSwitchCost,
  kCounterReads,
  kLost,
  kWorkloads,
  kRequests,
  kExpired,
  kPages,
  kPageSeconds,
  kProcessCpu,
  kProcessMemory,
  kProcessFds,
  kProcessStart,
  kCount
};

constexpr std::array<MetricFamily, kCount> kFamilies{{
    {"powertrace_build_info", kGauge, "The version that runs here.", "version"},
    {"powertrace_snapshot_timestamp_seconds", kGauge, "End of the snapshot that this page shows.",
     ""},
    {"powertrace_snapshots_total", kCounter, "Snapshots taken.", ""},
    {"powertrace_windows_total", kCounter, "Attribution windows.", ""},
    {"powertrace_zone_up", kGauge, "Whether the zone could be read in the last snapshot.",
     "zone,sensor"},
    {"powertrace_zone_failures_total", kCounter,
     "Snapshots in which a zone gave no energy: it could not be read, or may have wrapped twice.",
     "zone,sensor"},
    {"powertrace_self_cpu_seconds_total", kCounter,
     "CPU time of powertrace itself, without its programs in the kernel.", ""},
    {"powertrace_self_joules_total", kCounter, "Energy of powertrace itself: [powertrace].", ""},
    {"powertrace_switches_total", kCounter, "Context switches accounted.", ""},
    {"powertrace_switch_cost_seconds", kGauge,
     "Mean time of powertrace's program at a context switch, sampled; 0: none was sampled.", ""},
    {"powertrace_pmu_reads_total", kCounter, "Readings of hardware counters.", ""},
    {"powertrace_lost_total", kCounter,
     "Lost: slices without a place, events without a place, switches that the kernel hid.", "kind"},
    {"powertrace_workloads", kGauge,
     "Workloads with series of their own, by state, and those folded into [others].",
     "level,state"},
    {"powertrace_http_requests_total", kCounter, "HTTP requests answered, by class of status.",
     "code"},
    {"powertrace_http_expired_connections_total", kCounter,
     "Connections closed because they took too long.", ""},
    {"powertrace_pages_total", kCounter, "Metrics pages made.", ""},
    {"powertrace_page_seconds_total", kCounter, "Time spent making and compressing them.", ""},
    {"process_cpu_seconds_total", kCounter, "Total user and system CPU time spent in seconds.", ""},
    {"process_resident_memory_bytes", kGauge, "Resident memory size in bytes.", ""},
    {"process_open_fds", kGauge, "Number of open file descriptors.", ""},
    {"process_start_time_seconds", kGauge, "Start time of the process since unix epoch in seconds.",
     ""},
}};

void write_state(const PageInput& in, MetricsWriter& out) {
  const AccountView& account = in.account;
  out.family(kFamilies[kBuild]);
  out.integer(label_list({{"version", POWERTRACE_VERSION}}), "", 1);
  out.family(kFamilies[kSnapshotTime]);
  out.billionths("", "", static_cast<std::int64_t>(account.snapshot->realtime_ns));
  out.family(kFamilies[kSnapshots]);
  out.integer("", "", static_cast<std::int64_t>(account.snapshot->sequence));
  out.created("", "", account.start_ms);
  out.family(kFamilies[kWindows]);
  out.integer("", "", static_cast<std::int64_t>(account.self.windows));
  out.created("", "", account.start_ms);
  const auto sensor_label = [](const SensorView& sensor) {
    return label_list({{"zone", zone_kind_name(sensor.zone.kind)}, {"sensor", sensor.zone.name}});
  };
  out.family(kFamilies[kZoneUp]);
  for (const SensorView& sensor : account.sensors) {
    out.integer(sensor_label(sensor), "", sensor.status == ZoneStatus::kOk ? 1 : 0);
  }
  out.family(kFamilies[kZoneFailures]);
  for (const SensorView& sensor : account.sensors) {
    out.integer(sensor_label(sensor), "", static_cast<std::int64_t>(sensor.failures));
    out.created(sensor_label(sensor), "", account.start_ms);
  }
}

void write_cost(const PageInput& in, MetricsWriter& out) {
  const AccountView& account = in.account;
  const SelfTotals& self = account.self;
  const auto count = [&](Index family, std::uint64_t value) {
    out.family(kFamilies[family]);
    out.integer("", "", static_cast<std::int64_t>(value));
    out.created("", "", account.start_ms);
  };
  out.family(kFamilies[kSelfCpu]);
  out.real("", "", self.cpu_seconds);
  out.created("", "", account.start_ms);
  out.family(kFamilies[kSelfJoules]);
  out.billionths("", "", self.energy_nj);
  out.created("", "", account.start_ms);
  count(kSwitches, self.switches);
  out.family(kFamilies[kSwitchCost]);
  out.real("", "", account.snapshot->self.bpf_ns_per_switch / 1e9);
  count(kCounterReads, self.counter_reads);
  out.family(kFamilies[kLost]);
  const auto lost = [&](std::string_view kind, std::uint64_t value) {
    const std::string label = label_list({{"kind", kind}});
    out.integer(label, "", static_cast<std::int64_t>(value));
    out.created(label, "", account.start_ms);
  };
  lost("slices", self.lost_slices);
  lost("events", self.lost_events);
  lost("switches", self.missed_switches);
}

void write_workloads(const PageInput& in, MetricsWriter& out) {
  out.family(kFamilies[kWorkloads]);
  for (std::size_t i = 0; i < kAccountLevels; ++i) {
    const auto level = static_cast<AccountLevel>(i);
    if (!in.shows(level)) {
      continue;
    }
    const LevelView& view = in.account.level(level);
    std::int64_t terminated = 0;
    for (const WorkloadView& workload : view.workloads) {
      terminated += workload.terminated ? 1 : 0;
    }
    const std::string label = label_list({{"level", account_level_name(level)}});
    out.integer(label, "state=\"running\"",
                static_cast<std::int64_t>(view.workloads.size()) - terminated);
    out.integer(label, "state=\"terminated\"", terminated);
    out.integer(label, "state=\"folded\"", static_cast<std::int64_t>(view.hidden));
  }
}

void write_program(const PageInput& in, MetricsWriter& out) {
  const ProgramStats& program = in.program;
  out.family(kFamilies[kRequests]);
  for (std::size_t hundreds = 2; hundreds < std::size(program.http.requests); ++hundreds) {
    const std::string label = fmt::format("code=\"{}xx\"", hundreds);
    out.integer(label, "", static_cast<std::int64_t>(program.http.requests[hundreds]));
    out.created(label, "", in.account.start_ms);
  }
  const auto number = [&](Index family, double value) {
    out.family(kFamilies[family]);
    out.real("", "", value);
    if (kFamilies[family].type == MetricType::kCounter) {
      out.created("", "", in.account.start_ms);
    }
  };
  number(kExpired, static_cast<double>(program.http.expired));
  number(kPages, static_cast<double>(program.pages));
  number(kPageSeconds, program.page_seconds);
  number(kProcessCpu, program.cpu_seconds);
  number(kProcessMemory, static_cast<double>(program.resident_bytes));
  number(kProcessFds, static_cast<double>(program.open_fds));
  number(kProcessStart, program.start_seconds);
}

}  // namespace

std::span<const MetricFamily> self_families() {
  return kFamilies;
}

void write_self_metrics(const PageInput& in, MetricsWriter& out) {
  write_state(in, out);
  write_cost(in, out);
  write_workloads(in, out);
  write_program(in, out);
}

}  // namespace powertrace
