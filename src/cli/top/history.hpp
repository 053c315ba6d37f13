// SPDX-License-Identifier: Apache-2.0
//
// What `top` remembers of the intervals so far: total power, and per row of every level its energy,
// its extremes and its latest powers. Bounded: kTotalPoints intervals, kTracksPerLevel rows a level
// (more only while more ran in one interval). The oldest rows are folded into one, "[earlier]", so
// that the energy of a level always adds up to what the source gave. Pure; the caller locks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/rollup.hpp"
#include "model/snapshot.hpp"

namespace powertrace::top {

constexpr std::size_t kTotalPoints = 512;  // more than the widest screen shows
constexpr std::size_t kTrackPoints = 240;
constexpr std::size_t kTracksPerLevel = 2000;
constexpr std::size_t kLevels = 7;

// The latest powers in W, the newest last; at most `capacity` of them.
class PowerSeries {
 public:
  explicit PowerSeries(std::size_t capacity) : capacity_(capacity) {}
  void push(double watts);
  [[nodiscard]] std::size_t size() const { return points_.size(); }
  // The latest `count`, or as many as there are, oldest first.
  [[nodiscard]] std::vector<double> latest(std::size_t count) const;

 private:
  std::size_t capacity_;
  std::size_t oldest_ = 0;
  std::vector<float> points_;  // a ring once it is full
};

// One row over its whole life.
struct Track {
  Row row;                         // as of the latest interval it ran in
  std::uint64_t last_seen = 0;     // number of that interval
  std::uint64_t last_seen_ns = 0;  // its end, CLOCK_MONOTONIC
  std::uint64_t first_seen_ns = 0;
  std::int64_t energy_nj = 0;  // since powertrace started
  std::vector<std::int64_t> zone_nj;
  double least_watts = 0;
  double most_watts = 0;
  PowerSeries watts{kTrackPoints};  // up to last_seen; intervals without it since then are 0 W

  [[nodiscard]] bool ran_in(std::uint64_t interval) const { return last_seen == interval; }
};

// Kind and id: unique among the rows of a level.
std::string row_key(const Row& row);

using Tracks = std::unordered_map<std::string, Track>;

class History {
 public:
  void add(const SnapshotPtr& snapshot);

  [[nodiscard]] const SnapshotPtr& latest() const { return latest_; }  // null before the first
  [[nodiscard]] std::uint64_t interval() const { return interval_; }   // number of the latest
  [[nodiscard]] const Tracks& tracks(Level level) const {
    return tracks_[static_cast<std::size_t>(level)];
  }
  [[nodiscard]] const PowerSeries& total_watts() const { return total_watts_; }
  [[nodiscard]] std::int64_t energy_nj() const { return energy_nj_; }  // in_total zones
  [[nodiscard]] double seconds() const;  // since the first interval began
  // Losses since the start, so that they stay visible after the interval they happened in.
  [[nodiscard]] std::uint64_t lost_slices() const { return lost_slices_; }
  [[nodiscard]] std::uint64_t lost_events() const { return lost_events_; }

  // The power of a track in the latest `count` intervals, up to the present one.
  [[nodiscard]] std::vector<double> watts_of(const Track& track, std::size_t count) const;

 private:
  void update(Tracks& tracks, Row row, double seconds);
  void fold_oldest(Tracks& tracks) const;

  SnapshotPtr latest_;
  std::uint64_t interval_ = 0;
  std::uint64_t start_ns_ = 0;
  std::int64_t energy_nj_ = 0;
  std::uint64_t lost_slices_ = 0;
  std::uint64_t lost_events_ = 0;
  PowerSeries total_watts_{kTotalPoints};
  std::array<Tracks, kLevels> tracks_;
};

}  // namespace powertrace::top
