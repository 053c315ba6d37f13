// SPDX-License-Identifier: Apache-2.0
#include "serve/demo.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/choice.hpp"

namespace powertrace {
namespace {

constexpr std::array<Choice<DemoProfile>, 3> kProfiles{{{"idle", DemoProfile::kIdle},
                                                        {"moderate", DemoProfile::kModerate},
                                                        {"heavy", DemoProfile::kHeavy}}};

struct WattRange {
  double least;
  double most;
};
// Of one container, by profile.
constexpr std::array<WattRange, 3> kWatts{{{0.1, 1}, {2, 15}, {20, 50}}};

struct Name {
  const char* pod;
  const char* container;
};
constexpr std::array<Name, 4> kNames{{{"frontend-abc123", "app-frontend"},
                                      {"backend-def456", "app-backend"},
                                      {"postgres-ghi789", "database"},
                                      {"redis-jkl012", "cache"}}};
constexpr double kInvented = 1;  // the error of it: all

SyntheticConfig with_formula(SyntheticConfig power) {
  if (power.curve == LoadCurve::kAuto && !power.idle_w && !power.dram_share) {
    power.curve = LoadCurve::kSeed;
  }
  return power;
}

std::shared_ptr<const ProcessIdentity> demo_process(std::uint32_t pid, const char* comm) {
  auto process = std::make_shared<ProcessIdentity>();
  process->task = {pid, pid};
  process->comm = comm;
  return process;
}

std::shared_ptr<const CgroupIdentity> demo_cgroup(std::size_t index) {
  auto pod = std::make_shared<PodIdentity>();
  pod->uid = fmt::format("00000000-0000-4000-8000-{:012}", index + 1);
  pod->name = kNames[index].pod;
  pod->name_space = "default";
  ContainerIdentity container;
  container.id = fmt::format("{:064x}", index + 1);
  container.runtime = "demo";
  container.pod_uid = pod->uid;
  container.name = kNames[index].container;
  container.pod = pod;
  auto cgroup = std::make_shared<CgroupIdentity>();
  cgroup->id = index + 2;
  cgroup->path = fmt::format("/demo/pod{}/{}", pod->uid, container.id);
  cgroup->container = std::move(container);
  return cgroup;
}

std::int64_t nanojoules(double watts, double seconds) {
  return std::llround(watts * seconds * 1e9);
}

}  // namespace

Result<DemoProfile> parse_demo_profile(std::string_view text) {
  return parse_choice("a profile", text, kProfiles);
}

Demo::Demo(const DemoConfig& config)
    : model_(with_formula(config.power), CpuVendor::kUnknown, kCpus), random_(config.seed) {
  const WattRange range = kWatts[static_cast<std::size_t>(config.profile)];
  least_watts_ = range.least;
  most_watts_ = range.most;
  cpu_percent_ = walk(30, 20, 10, 50);
  memory_gb_ = walk(18, 14, 4, 32);
  for (std::size_t i = 0; i < kContainers; ++i) {
    containers_[i].process = demo_process(static_cast<std::uint32_t>(100 + i), kNames[i].container);
    containers_[i].cgroup = demo_cgroup(i);
    const double middle = (least_watts_ + most_watts_) / 2;
    containers_[i].watts = walk(middle, middle, least_watts_, most_watts_);
  }
  system_.process = demo_process(1, "system");
  auto root = std::make_shared<CgroupIdentity>();
  root->id = 1;
  root->path = "/demo/system";
  system_.cgroup = std::move(root);
}

double Demo::walk(double value, double step, double low, double high) {
  return std::clamp(value + std::uniform_real_distribution<double>(-step, step)(random_), low,
                    high);
}

void Demo::add_zones(Snapshot& snapshot, const NodePower& power, double seconds) const {
  const auto add = [&](const char* name, ZoneKind kind, bool in_total, double active, double idle) {
    Zone& zone = snapshot.zones.emplace_back();
    zone.name = name;
    zone.kind = kind;
    zone.in_total = in_total;
    LedgerZone& use = snapshot.zone_use.emplace_back();
    use.idle_nj = nanojoules(idle, seconds);
    use.energy_nj = use.idle_nj + nanojoules(active, seconds);
    use.duration_ns = snapshot.end_ns - snapshot.start_ns;
    use.status = ZoneStatus::kOk;
  };
  add("package-0", ZoneKind::kPackage, true, power.active_w, power.idle_w);
  if (model_.has_dram()) {
    add("dram", ZoneKind::kDram, true, power.dram_w, 0);
  }
}

void Demo::add_tasks(Snapshot& snapshot, const NodePower& power) const {
  // Containers never take more than what is active, so that the rest is not negative.
  std::vector<std::uint64_t> weights;
  double watts = 0;
  for (const Workload& one : containers_) {
    weights.push_back(static_cast<std::uint64_t>(one.watts * 1e6));
    watts += one.watts;
  }
  const double rest = std::max(power.active_w + power.dram_w - watts, watts / 10);
  weights.push_back(static_cast<std::uint64_t>(rest * 1e6));
  std::vector<std::int64_t> parts(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const Workload& one = i < kContainers ? containers_[i] : system_;
    SnapshotTask& task = snapshot.tasks.emplace_back();
    task.process = one.process;
    task.cgroup = one.cgroup;
    task.task = one.process->task;
    task.use.tgid = one.process->task.pid;
  }
  const auto busy_ns =
      static_cast<std::int64_t>(static_cast<double>(snapshot.capacity_ns) * cpu_percent_ / 100);
  divide_exactly(busy_ns, weights, parts);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    snapshot.tasks[i].use.run_ns = static_cast<std::uint64_t>(parts[i]);
  }
  for (const LedgerZone& use : snapshot.zone_use) {
    divide_exactly(use.energy_nj - use.idle_nj, weights, parts);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      snapshot.tasks[i].use.energy_nj.push_back(parts[i]);
    }
  }
}

SnapshotPtr Demo::next(std::uint64_t end_ns, std::uint64_t length_ns, std::uint64_t realtime_ns) {
  const double seconds = static_cast<double>(length_ns) / 1e9;
  cpu_percent_ = walk(cpu_percent_, 5, 0, 100);
  memory_gb_ = walk(memory_gb_, 1, 1, 64);
  for (Workload& one : containers_) {
    one.watts = walk(one.watts, 1, least_watts_, most_watts_);
  }
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->sequence = ++sequence_;
  snapshot->realtime_ns = realtime_ns;
  snapshot->start_ns = end_ns - length_ns;
  snapshot->end_ns = end_ns;
  snapshot->windows = 1;
  snapshot->capacity_ns = length_ns * kCpus;
  snapshot->source = {"demo", false, kInvented};
  snapshot->idle_known = true;
  const NodePower power = model_.at(cpu_percent_ / 100, memory_gb_);
  add_zones(*snapshot, power, seconds);
  add_tasks(*snapshot, power);
  return snapshot;
}

}  // namespace powertrace
