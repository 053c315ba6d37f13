// SPDX-License-Identifier: Apache-2.0
//
// Conservation from the window to the row: whatever the model, the policy and the level.
#include <set>
#include <utility>

#include <doctest/doctest.h>

#include "model/rollup.hpp"
#include "unit/model/make.hpp"

namespace powertrace {
namespace {

constexpr Level kAllLevels[] = {Level::kProcess, Level::kThread,    Level::kComm,
                                Level::kCgroup,  Level::kContainer, Level::kPod};

std::shared_ptr<const CgroupIdentity> cgroup_of(std::uint64_t id) {
  auto cgroup = std::make_shared<CgroupIdentity>();
  cgroup->id = id;
  cgroup->path = "/cgroup-" + std::to_string(id / 2);  // two ids may share a path: made anew
  if (id >= 2) {
    cgroup->container =
        ContainerIdentity{"container-" + std::to_string(id / 2), "docker", id == 4 ? "pod" : ""};
  }
  return cgroup;
}

Snapshot snapshot_of(const Ledger& ledger, const std::vector<Zone>& zones) {
  Snapshot snapshot;
  snapshot.self_pid = 2;
  snapshot.zones = zones;
  snapshot.zone_use.assign(ledger.zones().begin(), ledger.zones().end());
  for (const auto& [key, entry] : ledger.entries()) {
    auto process = std::make_shared<ProcessIdentity>();
    process->task = {entry.tgid, entry.tgid * 10ULL};
    process->comm = "p" + std::to_string(entry.tgid);
    snapshot.tasks.push_back({key.task, entry, process, cgroup_of(key.cgroup_id), false});
  }
  return snapshot;
}

void check_rows(const Snapshot& snapshot, const std::vector<Row>& rows) {
  std::int64_t in_total_nj = 0;
  for (std::size_t z = 0; z < snapshot.zones.size(); ++z) {
    std::int64_t sum = 0;
    for (const Row& row : rows) {
      sum += row.zone_nj[z];
    }
    CHECK(sum == snapshot.zone_use[z].energy_nj);
    in_total_nj += snapshot.zones[z].in_total ? snapshot.zone_use[z].energy_nj : 0;
  }
  std::set<std::pair<RowKind, std::string>> ids;
  std::set<TaskId> threads;
  std::uint64_t tasks = 0;
  for (const Row& row : rows) {
    in_total_nj -= row.energy_nj;
    tasks += row.tasks;
    ids.emplace(row.kind, row.id);
    CHECK(row.plus_minus_nj >= 0);
  }
  CHECK(in_total_nj == 0);
  CHECK(ids.size() == rows.size());
  for (const SnapshotTask& task : snapshot.tasks) {
    threads.insert(task.task);
  }
  CHECK(tasks >= threads.size());
  if (rows.front().level == Level::kThread) {
    CHECK(tasks == threads.size());
  }
}

}  // namespace

TEST_CASE("rollup: the rows of every level add up to every zone exactly") {
  CAPTURE(test::seed());
  test::Random random(test::seed());
  for (int round = 0; round < 300; ++round) {
    CAPTURE(round);
    const test::Scene base = random.scene();
    for (const Model model : test::kAllModels) {
      for (const IdlePolicy policy : test::kAllPolicies) {
        CAPTURE(model_name(model));
        CAPTURE(idle_policy_name(policy));
        Ledger ledger(base.zones.size());
        for (int w = 0; w < 3; ++w) {
          test::Scene scene = random.scene();
          scene.window.zones.resize(base.zones.size());
          ledger.add(scene.window,
                     attribute(scene.window, base.zones, scene.idle_mw, {model, policy}),
                     base.zones);
        }
        const Snapshot snapshot = snapshot_of(ledger, base.zones);
        for (const Level level : kAllLevels) {
          CAPTURE(level_name(level));
          check_rows(snapshot, roll_up(snapshot, level));
        }
      }
    }
  }
}

}  // namespace powertrace
