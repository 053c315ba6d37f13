// SPDX-License-Identifier: Apache-2.0
#include "push/batch.hpp"

#include <utility>

namespace powertrace {
namespace {

// A container that used nothing for so long is gone; its counter would be sent for ever.
constexpr std::int64_t kForgetMs = 600'000;

}  // namespace

void BatchFolder::add_use(const std::string& key, PushRow row) {
  Counter& counter = counters_[key];
  const std::int64_t energy_nj = counter.row.energy_nj + row.energy_nj;
  const std::int64_t total_nj = counter.row.total_nj + row.energy_nj;
  const std::int64_t run_ns = counter.row.run_ns + row.run_ns;
  if (row.energy_nj != 0 || row.run_ns != 0) {
    counter.seen_ms = end_ms_;
  }
  counter.row = std::move(row);  // names may have become known
  counter.row.energy_nj = energy_nj;
  counter.row.total_nj = total_nj;
  counter.row.run_ns = run_ns;
}

void BatchFolder::add(const Snapshot& snapshot) {
  const auto length_ns = snapshot.end_ns - snapshot.start_ns;
  end_ms_ = static_cast<std::int64_t>(snapshot.realtime_ns / 1'000'000U);
  if (length_ns_ == 0) {
    start_ms_ = end_ms_ - static_cast<std::int64_t>(length_ns / 1'000'000U);
    since_ms_ = since_ms_ == 0 ? start_ms_ : since_ms_;
  }
  length_ns_ += length_ns;
  last_ns_ = length_ns;
  measured_ = measured_ && snapshot.source.measured;
  for (std::size_t i = 0; i < snapshot.zones.size(); ++i) {
    if (snapshot.zones[i].in_total) {
      PushRow row;
      row.zone = zone_kind_name(snapshot.zones[i].kind);
      row.energy_nj = snapshot.zone_use[i].energy_nj;
      const std::string key = "node\n" + row.zone;
      add_use(key, std::move(row));
    }
  }
  for (const Row& each : roll_up(snapshot, Level::kContainer)) {
    PushRow row;
    row.scope = PushScope::kContainer;
    row.container_id = each.id;
    if (each.container) {
      row.container = each.container->name;
      row.pod_uid = each.container->pod_uid;
      if (each.container->pod) {
        row.pod = each.container->pod->name;
        row.name_space = each.container->pod->name_space;
      }
    }
    auto run_ns = static_cast<std::int64_t>(each.run_ns);
    for (std::size_t i = 0; i < snapshot.zones.size(); ++i) {
      if (snapshot.zones[i].in_total) {
        PushRow part = row;
        part.zone = zone_kind_name(snapshot.zones[i].kind);
        part.energy_nj = each.zone_nj[i];
        part.run_ns = std::exchange(run_ns, 0);
        const std::string key = "container\n" + row.container_id + "\n" + part.zone;
        add_use(key, std::move(part));
      }
    }
  }
}

PushBatchPtr BatchFolder::take(bool all) {
  // Edges of snapshots come a little early or late; the one nearest to the interval's end ends it.
  if (length_ns_ == 0 || (length_ns_ + last_ns_ / 2 < interval_ns_ && !all)) {
    return nullptr;
  }
  auto batch = std::make_shared<PushBatch>();
  batch->node = node_;
  batch->start_ms = start_ms_;
  batch->end_ms = end_ms_;
  batch->since_ms = since_ms_;
  batch->measured = measured_;
  for (auto counter = counters_.begin(); counter != counters_.end();) {
    batch->rows.push_back(counter->second.row);
    counter->second.row.energy_nj = 0;
    counter->second.row.run_ns = 0;
    const bool gone = end_ms_ - counter->second.seen_ms > kForgetMs;
    counter = gone ? counters_.erase(counter) : std::next(counter);
  }
  length_ns_ = 0;
  measured_ = true;
  return batch;
}

}  // namespace powertrace
