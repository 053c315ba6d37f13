// SPDX-License-Identifier: Apache-2.0
#include "cli/top/history.hpp"

#include <doctest/doctest.h>

#include "scene.hpp"

using namespace powertrace;
using namespace powertrace::top;
using powertrace::test::Proc;
using powertrace::test::Scene;

namespace {

const Track& track_of(const History& history, Level level, std::string_view name) {
  for (const auto& [key, track] : history.tracks(level)) {
    if (track.row.name == name) {
      return track;
    }
  }
  FAIL("no row " << name);
  return history.tracks(level).begin()->second;
}

std::int64_t sum(const History& history, Level level) {
  std::int64_t energy_nj = 0;
  for (const auto& [key, track] : history.tracks(level)) {
    energy_nj += track.energy_nj;
  }
  return energy_nj;
}

}  // namespace

TEST_CASE("top history: a series keeps the latest points in order") {
  PowerSeries series(3);
  CHECK(series.latest(5).empty());
  for (const double watts : {1.0, 2.0, 3.0, 4.0}) {
    series.push(watts);
  }
  CHECK(series.latest(5) == std::vector<double>{2, 3, 4});
  CHECK(series.latest(2) == std::vector<double>{3, 4});
}

TEST_CASE("top history: a row adds up, and an interval without it is 0 W") {
  Scene scene;
  History history;
  history.add(scene.next({{10, 1, "a", "", 4}, {11, 1, "b", "", 2}}));
  history.add(scene.next({{11, 1, "b", "", 3}}));
  history.add(scene.next({{11, 1, "b", "", 1}}));
  history.add(scene.next({{10, 1, "a", "", 8}, {11, 1, "b", "", 1}}));
  const Track& a = track_of(history, Level::kProcess, "a");
  CHECK(a.energy_nj == 12'000'000'000);
  CHECK(a.least_watts == 0);
  CHECK(a.most_watts == doctest::Approx(8));
  CHECK(history.watts_of(a, 10) == std::vector<double>{4, 0, 0, 8});
  CHECK(history.watts_of(a, 2) == std::vector<double>{0, 8});
  const Track& b = track_of(history, Level::kProcess, "b");
  CHECK(b.least_watts == doctest::Approx(1));
  history.add(scene.next({}));
  CHECK(history.watts_of(a, 3) == std::vector<double>{0, 8, 0});
  CHECK(history.watts_of(b, 1) == std::vector<double>{0});
}

TEST_CASE("top history: every level adds up to the source, also after folding") {
  Scene scene;
  History history;
  std::uint32_t pid = 1000;
  for (int interval = 0; interval < 12; ++interval) {
    std::vector<Proc> procs;
    for (int i = 0; i < 700; ++i, ++pid) {
      procs.push_back({pid, 1, "c" + std::to_string(pid), "", 0.001 * (i + 1),
                       test::cgroup(pid, "/g" + std::to_string(pid))});
    }
    history.add(scene.next(procs));
  }
  for (std::size_t level = 0; level < kLevels; ++level) {
    CAPTURE(level);
    CHECK(sum(history, static_cast<Level>(level)) == history.energy_nj());
    CHECK(history.tracks(static_cast<Level>(level)).size() <= kTracksPerLevel + 1);
  }
  CHECK(track_of(history, Level::kProcess, "[earlier]").energy_nj > 0);
  // What runs now is never folded.
  CHECK(track_of(history, Level::kProcess, "c" + std::to_string(pid - 700)).energy_nj > 0);
}

TEST_CASE("top history: losses stay counted") {
  Scene scene;
  scene.lost_slices = 3;
  History history;
  history.add(scene.next({}));
  scene.lost_slices = 0;
  history.add(scene.next({}));
  CHECK(history.lost_slices() == 3);
}
