// SPDX-License-Identifier: Apache-2.0
#include "serve/power_history.hpp"

#include <algorithm>

namespace powertrace {
namespace {

constexpr std::uint64_t kPointNs = 10'000'000'000;
constexpr std::size_t kPoints = 360;  // an hour

NodePoint counters_of(const AccountView& account) {
  NodePoint point;
  point.end_ms = account.snapshot->realtime_ns / 1'000'000;
  point.energy_nj = account.energy_nj;
  point.idle_nj = account.idle_nj;
  point.run_ns = account.used.run_ns;
  point.capacity_ns = account.capacity_ns;
  return point;
}

KindEnergy minus(const KindEnergy& a, const KindEnergy& b) {
  KindEnergy difference{};
  for (std::size_t kind = 0; kind < kZoneKinds; ++kind) {
    difference[kind] = a[kind] - b[kind];
  }
  return difference;
}

NodePoint minus(const NodePoint& now, const NodePoint& then) {
  NodePoint difference = now;
  difference.energy_nj = minus(now.energy_nj, then.energy_nj);
  difference.idle_nj = minus(now.idle_nj, then.idle_nj);
  difference.run_ns = now.run_ns - then.run_ns;
  difference.capacity_ns = now.capacity_ns - then.capacity_ns;
  return difference;
}

// Calls `each(id, workload or null, totals, terminated)` for containers and remainders.
template <typename Each>
void for_each_container(const AccountView& account, Each each) {
  const LevelView& level = account.level(AccountLevel::kContainer);
  for (const WorkloadView& workload : level.workloads) {
    each(workload.who.cgroup->container->id, &workload, workload.use.total);
  }
  AccountTotals others = level.outside.total;
  others += level.folded.total;
  each("[kernel]", nullptr, level.kernel.total);
  each("[powertrace]", nullptr, level.powertrace.total);
  each("[others]", nullptr, others);
}

}  // namespace

PowerHistory::Mark PowerHistory::mark_of(const AccountView& account) {
  Mark mark;
  mark.time_ns = account.snapshot->end_ns;
  mark.time_ms = account.snapshot->realtime_ns / 1'000'000;
  mark.node = counters_of(account);
  for_each_container(account,
                     [&](const std::string& id, const WorkloadView*, const AccountTotals& total) {
                       mark.containers[id] = {total.energy_nj, total.run_ns};
                     });
  return mark;
}

void PowerHistory::add(const AccountViewPtr& account) {
  const std::lock_guard lock(mutex_);
  const Snapshot& snapshot = *account->snapshot;
  if (!latest_) {
    point_from_ns_ = snapshot.start_ns;
    Mark zero;  // everything began at nothing
    zero.time_ns = snapshot.start_ns;
    zero.time_ms = account->start_ms;
    marks_.push_back(std::move(zero));
  }
  latest_ = account;
  const std::uint64_t length_ns = snapshot.end_ns - point_from_ns_;
  if (length_ns < kPointNs) {
    return;
  }
  const NodePoint now = counters_of(*account);
  NodePoint point = minus(now, counters_);
  point.seconds = static_cast<double>(length_ns) / 1e9;
  counters_ = now;
  point_from_ns_ = snapshot.end_ns;
  points_.push_back(point);
  if (points_.size() > kPoints) {
    points_.pop_front();
  }
  marks_.push_back(mark_of(*account));
  while (snapshot.end_ns - marks_.front().time_ns > kMaxRangeNs + kPointNs) {
    marks_.pop_front();
  }
}

std::vector<NodePoint> PowerHistory::hour() const {
  const std::lock_guard lock(mutex_);
  return {points_.begin(), points_.end()};
}

RangeUse PowerHistory::range(std::uint64_t range_ns) const {
  const std::lock_guard lock(mutex_);
  RangeUse use;
  use.asked_seconds = static_cast<double>(range_ns) / 1e9;
  if (!latest_) {
    return use;
  }
  const std::uint64_t now_ns = latest_->snapshot->end_ns;
  // The youngest mark that is old enough; else the oldest.
  const Mark* from = &marks_.front();
  for (const Mark& mark : marks_) {
    if (now_ns - mark.time_ns >= range_ns) {
      from = &mark;
    }
  }
  use.start_ms = from->time_ms;
  use.end_ms = latest_->snapshot->realtime_ns / 1'000'000;
  use.node = minus(counters_of(*latest_), from->node);
  for_each_container(*latest_, [&](const std::string& id, const WorkloadView* workload,
                                   const AccountTotals& total) {
    const auto then = from->containers.find(id);
    ContainerMark before = then == from->containers.end() ? ContainerMark{} : then->second;
    if (before.run_ns > total.run_ns) {
      before = {};  // it was folded and shown again in between
    }
    ContainerUse container{
        id, {}, false, minus(total.energy_nj, before.energy_nj), total.run_ns - before.run_ns};
    if (workload != nullptr) {
      container.who = workload->who;
      container.terminated = workload->terminated;
    }
    use.containers.push_back(std::move(container));
  });
  return use;
}

}  // namespace powertrace
