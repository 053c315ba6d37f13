// SPDX-License-Identifier: Apache-2.0
#include "pipeline/pipeline.hpp"

#include <algorithm>
#include <utility>

#include "base/clock.hpp"
#include "base/log.hpp"

namespace powertrace {

namespace {

IdentityCache::Options identity_options(const NameSources& names) {
  IdentityCache::Options options;
  options.cgroups.names = names.all;
  return options;
}

}  // namespace

Pipeline::Pipeline(const PipelineConfig& config, Tracer tracer, SourceChoice choice)
    : idle_milliwatts_(config.idle_milliwatts),
      choice_(std::move(choice)),
      names_(open_name_sources(config.names)),
      identities_(config.root, identity_options(names_)),
      self_pid_(own_pid(config.root)),
      tracer_(std::move(tracer)),
      idle_power_(choice_.source->zones().size()),
      ledger_(choice_.source->zones().size()) {
  attribution_.idle = config.idle;
  attribution_.model = config.model.value_or(tracer_.counters_on() ? Model::kCycles : Model::kTime);
  const auto zones = choice_.source->zones();
  for (std::size_t zone = 0; zone < zones.size(); ++zone) {
    if (const std::optional<std::int64_t> known = given_idle_milliwatts(zone)) {
      idle_power_.set(zone, *known);
    }
  }
  window_.zones.resize(zones.size());
}

Result<std::unique_ptr<Pipeline>> Pipeline::open(const PipelineConfig& config) {
  PT_ASSIGN(SourceChoice choice, open_source(config.sources, config.root, config.synthetic));
  TracerConfig trace = config.trace;
  trace.hierarchy_id = find_cgroup_mount(config.root).hierarchy_id;
  if (config.model == Model::kTime && trace.counters == CounterMode::kAuto) {
    trace.counters = CounterMode::kOff;
  }
  PT_ASSIGN(Tracer tracer, Tracer::open(trace, config.root));
  if (config.model == Model::kCycles && !tracer.counters_on()) {
    const CounterSupport& support = tracer.counter_support();
    return fail(ErrorCode::kUnsupported,
                "--model cycles needs a cycle counter: {}{}{}; or use --model time", support.reason,
                support.remedy.empty() ? "" : "; ", support.remedy);
  }
  return std::unique_ptr<Pipeline>(new Pipeline(config, std::move(tracer), std::move(choice)));
}

Status Pipeline::start() {
  PT_TRY(tracer_.start());
  choice_.source->read(window_.zones);
  self_.reset(tracer_);
  total_self_.reset(tracer_);
  return {};
}

void Pipeline::drain_events() {
  tracer_.drain_events([this](const pt_event& event, std::size_t size) {
    identities_.on_event(&event, size);
    if (event_observer_) {
      event_observer_(event, size);
    }
  });
}

void Pipeline::tick() {
  tracer_.end_window();
  choice_.source->read(window_.zones);
  drain_events();
  tracer_.read_window(window_);
  identities_.refresh_names();
  // Names now, not when the snapshot is taken: a process may be gone by then.
  for (const TaskUse& use : window_.tasks) {
    identities_.process(use);
    identities_.cgroup(use.cgroup_id, use.tgid);
  }
  const auto zones = choice_.source->zones();
  idle_power_.observe(window_, zones);
  const Attribution attribution = attribute(window_, zones, idle_power_.milliwatts(), attribution_);
  ledger_.add(window_, attribution, zones);
  if (window_observer_) {
    window_observer_(window_, attribution);
  }
}

SelfCost Pipeline::total_cost() const {
  SelfCost cost = total_self_.read(tracer_);
  cost.energy_nj = total_self_nj_;
  return cost;
}

SnapshotPtr Pipeline::take_snapshot() {
  auto snapshot = std::make_shared<Snapshot>();
  const auto zones = choice_.source->zones();
  snapshot->sequence = ++sequence_;
  snapshot->realtime_ns = realtime_ns();
  snapshot->start_ns = ledger_.start_ns();
  snapshot->end_ns = ledger_.end_ns();
  snapshot->windows = ledger_.windows();
  snapshot->capacity_ns = ledger_.capacity_ns();
  snapshot->source = choice_.source->info();
  snapshot->model = attribution_.model;
  snapshot->idle = attribution_.idle;
  snapshot->idle_known = idle_known();
  snapshot->counters_on = tracer_.counters_on();
  snapshot->instructions_on = tracer_.counter_support().events.size() > 1;
  snapshot->zones.assign(zones.begin(), zones.end());
  snapshot->zone_use.assign(ledger_.zones().begin(), ledger_.zones().end());
  snapshot->self = self_.read(tracer_);
  snapshot->self_pid = self_pid_;
  snapshot->tasks.reserve(ledger_.entries().size());
  for (const auto& [key, entry] : ledger_.entries()) {
    SnapshotTask& task = snapshot->tasks.emplace_back();
    task.task = key.task;
    task.use = entry;
    TaskUse hint;
    hint.task = key.task;
    hint.tgid = entry.tgid;
    hint.cgroup_id = key.cgroup_id;
    hint.comm = entry.comm;
    hint.kernel_thread = entry.kernel_thread;
    task.process = identities_.process(hint);
    task.cgroup = identities_.cgroup(key.cgroup_id, entry.tgid);
    task.terminated = identities_.terminated(*task.process);
    if (entry.tgid == snapshot->self_pid) {
      for (std::size_t zone = 0; zone < zones.size(); ++zone) {
        snapshot->self.energy_nj += zones[zone].in_total ? entry.energy_nj[zone] : 0;
      }
    }
  }
  total_self_nj_ += snapshot->self.energy_nj;
  // Hash order would differ between runs of the same recording.
  std::sort(snapshot->tasks.begin(), snapshot->tasks.end(), [](const auto& a, const auto& b) {
    return std::pair(a.task, a.cgroup->id) < std::pair(b.task, b.cgroup->id);
  });
  forget_interval();
  return snapshot;
}

void Pipeline::forget_interval() {
  identities_.advance(ledger_.end_ns());
  ledger_.clear();
  self_.reset(tracer_);
}

std::optional<std::int64_t> Pipeline::given_idle_milliwatts(std::size_t zone) const {
  const bool package = choice_.source->zones()[zone].kind == ZoneKind::kPackage;
  return idle_milliwatts_ && package ? idle_milliwatts_ : choice_.source->idle_milliwatts(zone);
}

bool Pipeline::idle_known() const {
  const auto& idle = idle_power_.milliwatts();
  return std::any_of(idle.begin(), idle.end(), [](const auto& known) { return known.has_value(); });
}

}  // namespace powertrace
