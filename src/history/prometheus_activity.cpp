// SPDX-License-Identifier: Apache-2.0
//
// What containers did, for workload classes.
#include <algorithm>
#include <cmath>
#include <map>

#include "history/prometheus_impl.hpp"

namespace powertrace {
namespace {

// Activities by workload, as their series come in.
class Activities {
 public:
  Activities(const SchemaLabels& labels, std::size_t steps) : labels_(labels), steps_(steps) {}

  // nullptr: a remainder.
  Activity* find(const MetricSeries& series) {
    const Workload who = workload_of(series, labels_);
    if (who.kind != WorkloadKind::kWorkload) {
      return nullptr;
    }
    const Workload group = group_of(who, Dimension::kWorkload);
    Activity& activity = all_[group_id(group, Dimension::kWorkload)];
    activity.who = who;
    activity.cores.resize(steps_);
    return &activity;
  }

  std::vector<Activity> take() {
    std::vector<Activity> result;
    for (auto& [id, activity] : all_) {
      result.push_back(std::move(activity));
    }
    return result;
  }

 private:
  SchemaLabels labels_;
  std::size_t steps_;
  std::map<std::string, Activity> all_;
};

}  // namespace

Result<std::vector<Activity>> PrometheusStore::activity(TimeRange range,
                                                        UtcMs step_ms,
                                                        const WorkloadFilter& filter) {
  PT_ASSIGN(const Schema* schema, impl_->schema(range));
  const SchemaLevel& level = schema->container;
  const SchemaLabels labels = impl_->labels_of(level.labels);
  const UtcMs step = std::max(step_ms, kSmallestWindow);
  const UtcMs steps = (range.end - range.start) / step;
  Activities activities(labels, static_cast<std::size_t>(steps));
  using Add = std::function<void(Activity&, UtcMs start, double amount)>;
  const auto each = [&](const SchemaMetric& metric, const std::vector<Windows>& windows,
                        const Add& add) -> Status {
    Selector selector = select(metric);
    if (!restrict_to(selector, labels, filter)) {
      return fail(ErrorCode::kUsage,
                  "the containers of schema {} carry no namespace and no pod's name: ask without "
                  "them, or for a container's id",
                  schema_name(schema->id));
    }
    return impl_->increase(names_of(labels), selector, windows,
                           [&](const MetricSeries& series, UtcMs start, UtcMs, double amount) {
                             if (Activity* activity = activities.find(series)) {
                               add(*activity, start, amount * metric.scale);
                             }
                           });
  };
  for (const SchemaMetric& metric : level.cpu_seconds) {
    if (steps == 0) {
      break;
    }
    PT_TRY(each(metric, {{range.start + step, range.start + steps * step, step, step}},
                [&](Activity& activity, UtcMs start, double seconds) {
                  const auto index = static_cast<std::size_t>((start - range.start) / step);
                  activity.cores.at(index) += seconds * 1e3 / static_cast<double>(step);
                  activity.use.run_ns += std::llround(seconds * 1e9);
                }));
  }
  for (const SchemaMetric& metric : level.cycles) {
    PT_TRY(each(metric, one_window(range), [](Activity& activity, UtcMs, double amount) {
      activity.use.cycles += std::llround(amount);
    }));
  }
  for (const SchemaMetric& metric : level.instructions) {
    PT_TRY(each(metric, one_window(range), [](Activity& activity, UtcMs, double amount) {
      activity.use.instructions += std::llround(amount);
    }));
  }
  for (const SchemaMetric& metric : level.joules) {
    PT_TRY(each(metric, one_window(range), [&](Activity& activity, UtcMs, double joules) {
      activity.use.energy_nj[static_cast<std::size_t>(metric.kind)] += to_nj(joules);
    }));
  }
  return activities.take();
}

}  // namespace powertrace
