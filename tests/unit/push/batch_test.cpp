// SPDX-License-Identifier: Apache-2.0
#include "push/batch.hpp"

#include <algorithm>

#include <doctest/doctest.h>

using namespace powertrace;

namespace {

constexpr std::int64_t kBegin = 1'000'000;

Snapshot snapshot(std::int64_t end_ms, std::int64_t nj) {
  Snapshot made;
  made.realtime_ns = static_cast<std::uint64_t>(end_ms) * 1'000'000U;
  made.start_ns = 1;
  made.end_ns = 1 + 1'000'000'000ULL;
  made.source.measured = true;
  Zone package;
  package.in_total = true;
  Zone core;
  core.kind = ZoneKind::kCore;
  Zone dram;
  dram.kind = ZoneKind::kDram;
  dram.in_total = true;
  made.zones = {package, core, dram};
  made.zone_use.resize(3);
  made.zone_use[2].energy_nj = 9;
  made.zone_use[2].unattributed_nj = 9;
  made.zone_use[0].energy_nj = nj + 50;
  made.zone_use[0].idle_nj = 50;
  SnapshotTask task;
  auto process = std::make_shared<ProcessIdentity>();
  auto cgroup = std::make_shared<CgroupIdentity>();
  cgroup->path = "/docker/c1";
  cgroup->container = ContainerIdentity{"c1", "docker", "", "web", nullptr};
  task.process = process;
  task.cgroup = cgroup;
  task.use.tgid = 5;
  task.use.run_ns = 7;
  task.use.energy_nj = {nj, nj * 5, 0};
  made.tasks = {task};
  return made;
}

std::int64_t container_nj(const PushBatch& batch, const std::string& id) {
  std::int64_t sum = 0;
  for (const PushRow& row : batch.rows) {
    sum += row.scope == PushScope::kContainer && row.container_id == id ? row.energy_nj : 0;
  }
  return sum;
}

}  // namespace

TEST_CASE("batches span the interval, counters go on") {
  BatchFolder folder("n1", 3'000'000'000);
  PushBatchPtr batch;
  for (int i = 1; i <= 3; ++i) {
    CHECK(batch == nullptr);
    folder.add(snapshot(kBegin + i * std::int64_t{1000}, 100));
    batch = folder.take();
  }
  REQUIRE(batch != nullptr);
  CHECK(batch->start_ms == kBegin);
  CHECK(batch->end_ms == kBegin + 3000);
  CHECK(container_nj(*batch, "c1") == 300);
  CHECK(container_nj(*batch, "[idle]") == 150);
  for (int i = 4; i <= 6; ++i) {
    folder.add(snapshot(kBegin + i * std::int64_t{1000}, 1));
  }
  batch = folder.take();
  REQUIRE(batch != nullptr);
  CHECK(container_nj(*batch, "c1") == 3);
  std::int64_t node_nj = 0;
  std::int64_t rows_nj = 0;
  for (const PushRow& row : batch->rows) {
    (row.scope == PushScope::kNode ? node_nj : rows_nj) += row.energy_nj;
    if (row.container_id == "c1" && row.zone == "package") {
      CHECK(row.total_nj == 303);
      CHECK(row.container == "web");
    }
  }
  CHECK(node_nj == rows_nj);
  CHECK(std::count_if(batch->rows.begin(), batch->rows.end(), [](const PushRow& row) {
          return row.scope == PushScope::kNode && !row.zone.empty();
        }) == 2);
  CHECK(batch->since_ms == kBegin);
  folder.add(snapshot(kBegin + 7000, 1));
  CHECK(folder.take() == nullptr);
  CHECK(container_nj(*folder.take(true), "c1") == 1);
  CHECK(folder.take(true) == nullptr);
}

TEST_CASE("an edge that comes a little early ends the batch it was meant for") {
  BatchFolder folder("n1", 2'000'000'000);
  std::vector<std::int64_t> ends;
  for (const int end_ms : {999, 1998, 2999, 4001, 5000, 5999}) {
    Snapshot one = snapshot(kBegin + end_ms, 1);
    one.end_ns -= 1'000'000;
    folder.add(one);
    if (const PushBatchPtr batch = folder.take()) {
      ends.push_back(batch->end_ms - kBegin);
    }
  }
  CHECK(ends == std::vector<std::int64_t>{1998, 4001, 5999});
}

TEST_CASE("a container that is gone for ten minutes is forgotten") {
  BatchFolder folder("n1", 1);
  folder.add(snapshot(1000, 100));
  CHECK(folder.take() != nullptr);
  Snapshot later = snapshot(700'000, 0);
  later.tasks.clear();
  folder.add(later);
  CHECK(container_nj(*folder.take(), "c1") == 0);
  folder.add(later);
  const PushBatchPtr last = folder.take();
  for (const PushRow& row : last->rows) {
    CHECK(row.container_id != "c1");
  }
}
