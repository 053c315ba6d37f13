// SPDX-License-Identifier: Apache-2.0
#include "cli/top/history.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "render/figures.hpp"

namespace powertrace::top {
namespace {

constexpr const char* kEarlier = "[earlier]";

void add_zones(std::vector<std::int64_t>& sums, const std::vector<std::int64_t>& parts) {
  sums.resize(std::max(sums.size(), parts.size()));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    sums[i] += parts[i];
  }
}

// An idle machine's [idle] and [unattributed] are remainders of every interval, not rows that ran.
bool counts_as_run(const Row& row) {
  return row.run_ns > 0 || row.energy_nj != 0 || row.kind == RowKind::kIdle ||
         row.kind == RowKind::kUnattributed;
}

}  // namespace

void PowerSeries::push(double watts) {
  if (points_.size() < capacity_) {
    points_.push_back(static_cast<float>(watts));
  } else {
    points_[oldest_] = static_cast<float>(watts);
    oldest_ = (oldest_ + 1) % capacity_;
  }
}

std::vector<double> PowerSeries::latest(std::size_t count) const {
  count = std::min(count, points_.size());
  std::vector<double> result;
  result.reserve(count);
  for (std::size_t i = points_.size() - count; i < points_.size(); ++i) {
    result.push_back(static_cast<double>(points_[(oldest_ + i) % points_.size()]));
  }
  return result;
}

std::string row_key(const Row& row) {
  return fmt::format("{} {}", static_cast<int>(row.kind), row.id);
}

double History::seconds() const {
  return latest_ ? static_cast<double>(latest_->end_ns - start_ns_) / 1e9 : 0;
}

void History::add(const SnapshotPtr& snapshot) {
  if (interval_ == 0) {
    start_ns_ = snapshot->start_ns;
  }
  ++interval_;
  latest_ = snapshot;
  lost_slices_ += snapshot->self.lost_slices;
  lost_events_ += snapshot->self.lost_events;
  const double seconds = interval_seconds(*snapshot);
  const std::int64_t energy_nj = sum_totals(*snapshot).energy_nj;
  energy_nj_ += energy_nj;
  total_watts_.push(static_cast<double>(energy_nj) / 1e9 / seconds);
  for (std::size_t level = 0; level < kLevels; ++level) {
    for (Row& row : roll_up(*snapshot, static_cast<Level>(level))) {
      if (counts_as_run(row)) {
        update(tracks_[level], std::move(row), seconds);
      }
    }
    if (tracks_[level].size() > kTracksPerLevel) {
      fold_oldest(tracks_[level]);
    }
  }
}

void History::update(Tracks& tracks, Row row, double seconds) {
  const double watts = static_cast<double>(row.energy_nj) / 1e9 / seconds;
  const auto [at, added] = tracks.try_emplace(row_key(row));
  Track& track = at->second;
  if (added) {
    track.first_seen_ns = latest_->start_ns;
    track.least_watts = watts;
    track.most_watts = watts;
  } else {
    const std::uint64_t missed = interval_ - track.last_seen - 1;
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(missed, kTrackPoints); ++i) {
      track.watts.push(0);
    }
    track.least_watts = std::min(track.least_watts, missed > 0 ? 0 : watts);
    track.most_watts = std::max(track.most_watts, watts);
  }
  track.watts.push(watts);
  track.energy_nj += row.energy_nj;
  add_zones(track.zone_nj, row.zone_nj);
  track.last_seen = interval_;
  track.last_seen_ns = latest_->end_ns;
  track.row = std::move(row);
}

void History::fold_oldest(Tracks& tracks) const {
  std::vector<std::pair<std::uint64_t, const std::string*>> ages;
  for (const auto& [key, track] : tracks) {
    if (!track.ran_in(interval_) && track.row.id != kEarlier) {
      ages.emplace_back(track.last_seen, &key);
    }
  }
  // An eighth more than needed, so that this does not happen in every interval.
  const std::size_t fold =
      std::min(ages.size(), tracks.size() - kTracksPerLevel + kTracksPerLevel / 8);
  if (fold == 0) {
    return;
  }
  std::nth_element(ages.begin(), ages.begin() + static_cast<std::ptrdiff_t>(fold) - 1, ages.end());
  Row row;
  row.kind = RowKind::kOther;
  row.level = tracks.begin()->second.row.level;
  row.id = kEarlier;
  row.name = kEarlier;
  const auto [at, added] = tracks.try_emplace(row_key(row));
  Track& earlier = at->second;
  if (added) {
    earlier.row = std::move(row);
    earlier.first_seen_ns = start_ns_;
  }
  earlier.last_seen_ns = latest_->end_ns;
  for (std::size_t i = 0; i < fold; ++i) {
    const auto oldest = tracks.find(*ages[i].second);
    earlier.energy_nj += oldest->second.energy_nj;
    add_zones(earlier.zone_nj, oldest->second.zone_nj);
    tracks.erase(oldest);
  }
}

std::vector<double> History::watts_of(const Track& track, std::size_t count) const {
  const auto silent =
      static_cast<std::size_t>(std::min<std::uint64_t>(interval_ - track.last_seen, kTrackPoints));
  if (track.watts.size() == 0 || silent >= count) {
    return std::vector<double>(std::min(count, silent), 0.0);
  }
  std::vector<double> result = track.watts.latest(count - silent);
  result.resize(result.size() + silent, 0.0);
  return result;
}

}  // namespace powertrace::top
