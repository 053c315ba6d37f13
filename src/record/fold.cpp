// SPDX-License-Identifier: Apache-2.0
#include "record/fold.hpp"

#include <algorithm>
#include <utility>

namespace powertrace::record {
namespace {

SelfCost difference(const SelfCost& now, const SelfCost& before) {
  SelfCost cost = now;
  cost.cpu_seconds -= before.cpu_seconds;
  cost.switches -= std::min(before.switches, now.switches);
  cost.counter_reads -= std::min(before.counter_reads, now.counter_reads);
  cost.lost_slices -= std::min(before.lost_slices, now.lost_slices);
  cost.lost_events -= std::min(before.lost_events, now.lost_events);
  cost.missed_switches -= std::min(before.missed_switches, now.missed_switches);
  return cost;
}

}  // namespace

Status check_fold(const FoldConfig& config, const Meta& meta) {
  if (config.model == Model::kCycles && !meta.counters_on) {
    return fail(
        ErrorCode::kUsage,
        "--model cycles: no cycles were recorded (no hardware counters there, or --counters "
        "off); use --model time");
  }
  return {};
}

Fold::Fold(const Reader& reader, const FoldConfig& config)
    : reader_(reader),
      attribution_config_{config.model.value_or(reader.meta().model),
                          config.idle.value_or(reader.meta().idle)},
      idle_power_(reader.meta().zones.size()),
      ledger_(reader.meta().zones.size()) {
  const Meta& meta = reader.meta();
  for (std::size_t zone = 0; zone < meta.zones.size(); ++zone) {
    const bool given = config.idle_milliwatts && meta.zones[zone].kind == ZoneKind::kPackage;
    const auto known = given ? config.idle_milliwatts : meta.idle_mw[zone];
    if (known) {
      idle_power_.set(zone, *known);
    }
  }
}

const Attribution& Fold::attribute_window() {
  const Window& window = reader_.window();
  idle_power_.observe(window, reader_.meta().zones);
  attribution_ =
      attribute(window, reader_.meta().zones, idle_power_.milliwatts(), attribution_config_);
  return attribution_;
}

const Attribution& Fold::add() {
  attribute_window();
  ledger_.add(reader_.window(), attribution_, reader_.meta().zones);
  learn_names();
  return attribution_;
}

// Now, not when the snapshot is taken: ids may mean something else by then.
void Fold::learn_names() {
  const Window& window = reader_.window();
  for (std::size_t i = 0; i < window.tasks.size(); ++i) {
    const TaskUse& use = window.tasks[i];
    const Id id = reader_.ids()[i];
    Names& names = names_[{use.task, use.cgroup_id}];
    if (names.task == id && names.epoch == reader_.epoch()) {
      continue;
    }
    const TaskDef& task = *reader_.tables().task(id);
    names = {id, reader_.epoch(), reader_.tables().process(task), reader_.tables().cgroup(task),
             task.selected};
  }
}

SnapshotPtr Fold::take_snapshot() {
  const Meta& meta = reader_.meta();
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->sequence = ++sequence_;
  snapshot->realtime_ns = meta.realtime_ns + (ledger_.end_ns() - meta.start_ns);
  snapshot->start_ns = ledger_.start_ns();
  snapshot->end_ns = ledger_.end_ns();
  snapshot->windows = ledger_.windows();
  snapshot->capacity_ns = ledger_.capacity_ns();
  snapshot->source = meta.source;
  snapshot->model = attribution_config_.model;
  snapshot->idle = attribution_config_.idle;
  const auto& idle = idle_power_.milliwatts();
  snapshot->idle_known =
      std::any_of(idle.begin(), idle.end(), [](const auto& known) { return known.has_value(); });
  snapshot->counters_on = meta.counters_on;
  snapshot->instructions_on = meta.instructions_on;
  snapshot->zones = meta.zones;
  snapshot->zone_use.assign(ledger_.zones().begin(), ledger_.zones().end());
  snapshot->self = difference(reader_.costs(), costs_before_);
  costs_before_ = reader_.costs();
  snapshot->self_pid = meta.self_pid;
  for (const auto& [key, entry] : ledger_.entries()) {
    const Names& names = names_.at(key);
    SnapshotTask& task = snapshot->tasks.emplace_back();
    task.task = key.task;
    task.use = entry;
    task.process = names.process->identity;
    task.cgroup = names.cgroup->identity;
    task.terminated = names.process->ended_ns.value_or(snapshot->end_ns + 1) <= snapshot->end_ns;
    task.outside = !names.selected;
    if (entry.tgid == snapshot->self_pid) {
      for (std::size_t zone = 0; zone < meta.zones.size(); ++zone) {
        snapshot->self.energy_nj += meta.zones[zone].in_total ? entry.energy_nj[zone] : 0;
      }
    }
  }
  std::sort(snapshot->tasks.begin(), snapshot->tasks.end(), [](const auto& a, const auto& b) {
    return std::tie(a.task, a.cgroup->id) < std::tie(b.task, b.cgroup->id);
  });
  ledger_.clear();
  names_.clear();
  return snapshot;
}

}  // namespace powertrace::record
