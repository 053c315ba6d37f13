// SPDX-License-Identifier: Apache-2.0
#include "render/json.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace powertrace {
namespace {

Snapshot two_zone_snapshot() {
  Snapshot snapshot;
  snapshot.start_ns = 1'000'000'000;
  snapshot.end_ns = 2'000'300'000;
  snapshot.source = {"synthetic", false, 0.06};
  snapshot.zones = {{"package-0", ZoneKind::kPackage, 0, -1, true, false},
                    {"dram", ZoneKind::kDram, -1, -1, true, false}};
  snapshot.zone_use.resize(2);
  snapshot.zone_use[0].energy_nj = 80'000'000'001;
  snapshot.zone_use[0].idle_nj = 43'000'000'000;
  snapshot.zone_use[0].duration_ns = 1'000'300'000;
  snapshot.zone_use[0].status = ZoneStatus::kOk;
  snapshot.zone_use[1].status = ZoneStatus::kUnreadable;
  snapshot.zone_use[1].sys_errno = EACCES;

  SnapshotTask& task = snapshot.tasks.emplace_back();
  task.task = {4711, 98765};
  task.use.tgid = 4711;
  task.use.run_ns = 500'000'000;
  task.use.counted_ns = 250'000'000;
  task.use.cycles = 1e9;
  task.use.instructions = 2e9;
  task.use.energy_nj = {37'000'000'001, 0};
  auto process = std::make_shared<ProcessIdentity>();
  process->task = task.task;
  process->comm =
      "bad\xff"
      "name";
  task.process = process;
  auto cgroup = std::make_shared<CgroupIdentity>();
  cgroup->path = "/user.slice/a";
  task.cgroup = cgroup;
  return snapshot;
}

nlohmann::json render(const Snapshot& snapshot) {
  return nlohmann::json::parse(snapshot_json(snapshot, roll_up(snapshot, Level::kProcess)));
}

nlohmann::json process_row(const nlohmann::json& json) {
  return *std::find_if(json["rows"].begin(), json["rows"].end(),
                       [](const nlohmann::json& row) { return row["kind"] == "process"; });
}

}  // namespace

TEST_CASE("json: the row model of the contract, exact to the nJ") {
  Snapshot snapshot = two_zone_snapshot();
  snapshot.counters_on = true;
  snapshot.instructions_on = true;
  const nlohmann::json json = render(snapshot);
  CHECK(json["schema"] == "powertrace.snapshot/1");
  CHECK(json["source"]["measured"] == false);
  CHECK(json["total"]["joules"].dump() == "80.000000001");
  CHECK(json["total"]["attributed"].dump() == "37.000000001");
  CHECK(json["zones"][1]["status"] == "unreadable");
  CHECK(json["zones"][1]["watts"].is_null());
  CHECK(json["zones"][1]["error"] == "Permission denied");
  REQUIRE(json["rows"].size() == 3);  // the process, [idle] and [unattributed]
  const nlohmann::json row = process_row(json);
  CHECK(row["id"] == "4711:98765");
  CHECK(row["joules"].dump() == "37.000000001");
  CHECK(row["cgroup"] == "/user.slice/a");
  CHECK(row["exe"].is_null());
  CHECK(row["container_id"].is_null());
  CHECK(row["counted_share"] == 0.5);
  CHECK(row["cycles"] == 1e9);
  CHECK(row["instructions"] == 2e9);
  CHECK(row["comm"].get<std::string>().find("bad") == 0);  // not UTF-8, and still one line of JSON
}

TEST_CASE("json: what was not counted is null, not zero") {
  Snapshot snapshot = two_zone_snapshot();
  CHECK(process_row(render(snapshot))["cycles"].is_null());
  CHECK(process_row(render(snapshot))["counted_share"].is_null());
  snapshot.counters_on = true;  // a PMU with cycles alone
  CHECK(process_row(render(snapshot))["cycles"] == 1e9);
  CHECK(process_row(render(snapshot))["instructions"].is_null());
}

}  // namespace powertrace
