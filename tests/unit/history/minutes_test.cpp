// SPDX-License-Identifier: Apache-2.0
#include "history/minutes.hpp"

#include <algorithm>

#include <doctest/doctest.h>

#include "history/workload.hpp"

using namespace powertrace;

namespace {

SnapshotTask task(std::uint32_t pid, const std::string& cgroup, std::int64_t nj) {
  SnapshotTask result;
  auto process = std::make_shared<ProcessIdentity>();
  process->uid = 1000;
  auto group = std::make_shared<CgroupIdentity>();
  group->path = cgroup;
  result.task.pid = pid;
  result.use.tgid = pid;
  result.use.run_ns = 1'000'003;
  result.use.energy_nj = {nj, nj * 10};
  result.process = process;
  result.cgroup = group;
  return result;
}

// From `end_ms - length_ms` to `end_ms`; zone 0 counts, zone 1 does not.
Snapshot snapshot(UtcMs end_ms, std::int64_t length_ms) {
  Snapshot result;
  result.realtime_ns = static_cast<std::uint64_t>(end_ms) * 1'000'000U;
  result.start_ns = 5'000'000'000;
  result.end_ns = result.start_ns + static_cast<std::uint64_t>(length_ms) * 1'000'000U;
  result.source.measured = true;
  Zone package;
  package.in_total = true;
  Zone core;
  core.kind = ZoneKind::kCore;
  result.zones = {package, core};
  result.zone_use.resize(2);
  result.zone_use[0].idle_nj = 70;
  result.zone_use[0].unattributed_nj = 7;
  result.tasks = {task(10, "/a", 1001), task(11, "/a", 500), task(12, "/b", 33)};
  return result;
}

std::int64_t total_nj(const std::vector<Minute>& minutes) {
  std::int64_t sum = 0;
  for (const Minute& minute : minutes) {
    for (const MinuteRow& row : minute.rows) {
      sum += row.use.total_nj();
    }
  }
  return sum;
}

std::string name_of(std::uint32_t uid) {
  return "u" + std::to_string(uid);
}

}  // namespace

TEST_CASE("tasks become workloads, and only zones of the total count") {
  MinuteFolder folder("n1", name_of);
  folder.add(snapshot(10 * kMinuteMs + 5000, 1000));
  CHECK(folder.take(false).empty());
  const std::vector<Minute> minutes = folder.take(true);
  REQUIRE(minutes.size() == 1);
  CHECK(minutes[0].start == 10 * kMinuteMs);
  CHECK(minutes[0].covered_ms == 1000);
  CHECK(minutes[0].estimated_ms == 0);
  CHECK(minutes[0].intervals == 1);
  REQUIRE(minutes[0].rows.size() == 4);
  CHECK(total_nj(minutes) == 1001 + 500 + 33 + 70 + 7);
  const auto row = std::find_if(minutes[0].rows.begin(), minutes[0].rows.end(),
                                [](const MinuteRow& each) { return each.who.cgroup == "/a"; });
  REQUIRE(row != minutes[0].rows.end());
  CHECK(row->who.user == "u1000");
  CHECK(row->use.energy_nj[0] == 1501);
  CHECK(folder.take(true).empty());
}

TEST_CASE("an interval over the minute's border is divided by time, nothing lost") {
  MinuteFolder folder("n1", name_of);
  folder.add(snapshot(11 * kMinuteMs + 250, 1000));
  std::vector<Minute> minutes = folder.take(false);
  REQUIRE(minutes.size() == 1);
  CHECK(minutes[0].start == 10 * kMinuteMs);
  CHECK(minutes[0].covered_ms == 750);
  const std::int64_t first = total_nj(minutes);
  CHECK(first == 1501 * 3 / 4 + 33 * 3 / 4 + 70 * 3 / 4 + 7 * 3 / 4);
  minutes = folder.take(true);
  REQUIRE(minutes.size() == 1);
  CHECK(minutes[0].covered_ms == 250);
  CHECK(first + total_nj(minutes) == 1001 + 500 + 33 + 70 + 7);
}

TEST_CASE("an interval of minutes (a suspended machine) is spread over them") {
  MinuteFolder folder("n1", name_of);
  folder.add(snapshot(20 * kMinuteMs, 5 * kMinuteMs));
  const std::vector<Minute> minutes = folder.take(true);
  CHECK(minutes.size() == 5);
  CHECK(total_nj(minutes) == 1611);
}

TEST_CASE("powertrace and kernel threads are rows of their own") {
  MinuteFolder folder("n1", name_of);
  Snapshot one = snapshot(10 * kMinuteMs + 5000, 1000);
  one.self_pid = 10;
  one.tasks[1].use.kernel_thread = true;
  folder.add(one);
  std::vector<std::string> names;
  const std::vector<Minute> minutes = folder.take(true);
  for (const MinuteRow& row : minutes.at(0).rows) {
    names.emplace_back(remainder_name(row.who.kind));
  }
  for (const char* name : {"[powertrace]", "[kernel]", "[idle]", "[unattributed]"}) {
    CHECK(std::count(names.begin(), names.end(), name) == 1);
  }
}
