// SPDX-License-Identifier: Apache-2.0
#include "model/rollup.hpp"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "unit/model/make.hpp"

namespace powertrace {
namespace {

using test::kJoule;
using test::kSecond;

std::shared_ptr<const CgroupIdentity> cgroup(std::uint64_t id,
                                             std::string path,
                                             std::string container_id = "",
                                             std::string pod_uid = "") {
  auto result = std::make_shared<CgroupIdentity>();
  result->id = id;
  result->path = std::move(path);
  if (!container_id.empty()) {
    result->container = ContainerIdentity{std::move(container_id), "docker", std::move(pod_uid)};
  }
  return result;
}

std::shared_ptr<const ProcessIdentity> process(std::uint32_t pid, std::string comm) {
  auto result = std::make_shared<ProcessIdentity>();
  result->task = {pid, pid * 10ULL};
  result->parent_pid = 1;
  result->exe = "/usr/bin/" + comm;
  result->cmdline = comm + " --verbose";
  result->comm = std::move(comm);
  return result;
}

SnapshotTask thread(std::uint32_t tid,
                    std::shared_ptr<const ProcessIdentity> process,
                    std::shared_ptr<const CgroupIdentity> cgroup,
                    std::int64_t package_joules,
                    std::int64_t psys_joules) {
  SnapshotTask task;
  task.task = {tid, tid * 10ULL};
  task.use.tgid = process->task.pid;
  task.use.comm = test::comm(process->comm);
  task.use.run_ns = kSecond;
  task.use.counted_ns = kSecond / 2;
  task.use.switches = 2;
  task.use.cycles = 100;
  task.use.instructions = 50;
  task.use.energy_nj = {package_joules * kJoule, psys_joules * kJoule};
  task.process = std::move(process);
  task.cgroup = std::move(cgroup);
  return task;
}

// Two threads of "web" in two cgroups of one container, one of them in both; "job" in a pod; a
// kernel thread; powertrace itself.
Snapshot machine() {
  Snapshot snapshot;
  snapshot.self_pid = 900;
  snapshot.zones = {test::zone("package-0"), test::zone("psys", -1, false)};
  snapshot.zone_use.resize(2);
  snapshot.zone_use[0] = {100 * kJoule, 40 * kJoule, 5 * kJoule, kSecond, ZoneStatus::kOk, 0};
  snapshot.zone_use[1] = {120 * kJoule, 50 * kJoule, 15 * kJoule, kSecond, ZoneStatus::kOk, 0};
  const auto web = process(100, "web");
  const auto job = process(200, "job");
  auto kernel = std::make_shared<ProcessIdentity>();
  kernel->task = {2, 0};
  kernel->comm = "kswapd0";
  const auto root = cgroup(1, "/");
  const auto front = cgroup(2, "/docker/aaaabbbbccccdddd", "aaaabbbbccccdddd");
  const auto back = cgroup(3, "/docker/aaaabbbbccccdddd/sub", "aaaabbbbccccdddd");
  const auto pod = cgroup(4, "/kubepods/pod-1/eeee", "eeeeffff00001111", "pod-1");
  snapshot.tasks = {thread(900, process(900, "powertrace"), root, 1, 1),
                    thread(101, web, back, 20, 20),
                    thread(100, web, front, 10, 10),
                    thread(101, web, front, 5, 5),
                    thread(200, job, pod, 12, 12),
                    thread(2, kernel, root, 7, 7)};
  snapshot.tasks.back().use.kernel_thread = true;
  return snapshot;
}

const Row* find(const std::vector<Row>& rows, std::string_view id) {
  const auto row =
      std::find_if(rows.begin(), rows.end(), [id](const Row& r) { return r.id == id; });
  return row == rows.end() ? nullptr : &*row;
}

const Row& at(const std::vector<Row>& rows, std::string_view id) {
  const Row* row = find(rows, id);
  REQUIRE_MESSAGE(row != nullptr, id);
  return *row;
}

}  // namespace

TEST_CASE("rollup: processes fold their threads, and powertrace and the kernel have rows") {
  const std::vector<Row> rows = roll_up(machine(), Level::kProcess);
  CHECK(rows.size() == 6);
  const Row& web = at(rows, "100:1000");
  CHECK(web.kind == RowKind::kWorkload);
  CHECK(web.level == Level::kProcess);
  CHECK(web.name == "web");
  CHECK(web.pid == 100);
  CHECK(web.tid == 0);
  CHECK(web.parent_pid == 1);
  CHECK(web.tasks == 2);  // one of them under two cgroups
  CHECK(web.energy_nj == 35 * kJoule);
  CHECK(web.zone_nj == std::vector<std::int64_t>{35 * kJoule, 35 * kJoule});
  CHECK(web.run_ns == 3 * kSecond);
  CHECK(web.counted_ns == 3 * kSecond / 2);
  CHECK(web.switches == 6);
  CHECK(web.cycles == 300);
  CHECK(web.instructions == 150);
  CHECK(web.process != nullptr);
  CHECK(web.cgroup == nullptr);
  REQUIRE(web.container != nullptr);
  CHECK(web.container->id == "aaaabbbbccccdddd");
  CHECK(at(rows, "[idle]").energy_nj == 40 * kJoule);
  CHECK(at(rows, "[idle]").zone_nj[1] == 50 * kJoule);
  CHECK(at(rows, "[idle]").kind == RowKind::kIdle);
  CHECK(at(rows, "[unattributed]").energy_nj == 5 * kJoule);
  CHECK(at(rows, "[unattributed]").kind == RowKind::kUnattributed);
  CHECK(at(rows, "[kernel]").energy_nj == 7 * kJoule);
  CHECK(at(rows, "[kernel]").pid == 0);
  CHECK(at(rows, "[powertrace]").kind == RowKind::kPowertrace);
  CHECK(at(rows, "[powertrace]").pid == 900);
}

TEST_CASE("rollup: at the thread level everybody has a row") {
  const std::vector<Row> rows = roll_up(machine(), Level::kThread);
  CHECK(rows.size() == 7);
  const Row& thread = at(rows, "101:1010");
  CHECK(thread.pid == 100);
  CHECK(thread.tid == 101);
  CHECK(thread.tasks == 1);
  CHECK(thread.energy_nj == 25 * kJoule);
  CHECK(at(rows, "2:20").kind == RowKind::kWorkload);
  CHECK(at(rows, "900:9000").kind == RowKind::kPowertrace);
  CHECK(find(rows, "[kernel]") == nullptr);
  CHECK(find(rows, "[powertrace]") == nullptr);
}

TEST_CASE("rollup: by comm, cgroup, container and pod") {
  const Snapshot snapshot = machine();
  const std::vector<Row> comms = roll_up(snapshot, Level::kComm);
  CHECK(at(comms, "web").tasks == 2);
  CHECK(at(comms, "web").pid == 0);
  CHECK(at(comms, "web").process != nullptr);
  Snapshot shared = machine();
  shared.tasks[4].use.comm = test::comm("web");  // the job in the pod calls itself web, too
  CHECK(at(roll_up(shared, Level::kComm), "web").process == nullptr);
  CHECK(at(roll_up(shared, Level::kComm), "web").container == nullptr);

  const std::vector<Row> cgroups = roll_up(snapshot, Level::kCgroup);
  CHECK(at(cgroups, "/docker/aaaabbbbccccdddd").energy_nj == 15 * kJoule);
  CHECK(at(cgroups, "/docker/aaaabbbbccccdddd").cgroup != nullptr);
  CHECK(find(cgroups, "/") == nullptr);  // only the kernel and powertrace ran there

  const std::vector<Row> containers = roll_up(snapshot, Level::kContainer);
  const Row& web = at(containers, "aaaabbbbccccdddd");
  CHECK(web.name == "aaaabbbbcccc");
  CHECK(web.energy_nj == 35 * kJoule);
  CHECK(web.container->runtime == "docker");
  CHECK(web.cgroup == nullptr);
  CHECK(at(containers, "eeeeffff00001111").energy_nj == 12 * kJoule);
  CHECK(find(containers, "[others]") == nullptr);

  const std::vector<Row> pods = roll_up(snapshot, Level::kPod);
  CHECK(at(pods, "pod-1").energy_nj == 12 * kJoule);
  CHECK(at(pods, "[others]").energy_nj == 35 * kJoule);
  CHECK(at(pods, "[others]").kind == RowKind::kOther);
  for (const auto* rows : {&comms, &cgroups, &containers, &pods}) {
    CHECK(at(*rows, "[kernel]").energy_nj == 7 * kJoule);
    CHECK(at(*rows, "[powertrace]").energy_nj == 1 * kJoule);
  }
}

TEST_CASE("rollup: an empty snapshot has its two remainders") {
  for (const Level level : {Level::kProcess, Level::kThread, Level::kPod}) {
    const std::vector<Row> rows = roll_up(Snapshot{}, level);
    CHECK(rows.size() == 2);
    CHECK(at(rows, "[idle]").energy_nj == 0);
    CHECK(at(rows, "[unattributed]").plus_minus_nj == 0);
  }
}

TEST_CASE("rollup: a workload called like a remainder stays itself") {
  Snapshot snapshot = machine();
  for (SnapshotTask& task : snapshot.tasks) {
    task.use.comm = test::comm("[kernel]");
  }
  const std::vector<Row> rows = roll_up(snapshot, Level::kComm);
  std::int64_t kernel_nj = 0;
  std::int64_t workload_nj = 0;
  for (const Row& row : rows) {
    kernel_nj += row.kind == RowKind::kKernel ? row.energy_nj : 0;
    workload_nj += row.kind == RowKind::kWorkload ? row.energy_nj : 0;
  }
  CHECK(kernel_nj == 7 * kJoule);
  CHECK(workload_nj == 47 * kJoule);
}

TEST_CASE("rollup: a process is gone when all of it is, and a reused pid is another process") {
  Snapshot snapshot = machine();
  snapshot.tasks[1].terminated = true;
  CHECK_FALSE(at(roll_up(snapshot, Level::kProcess), "100:1000").terminated);
  snapshot.tasks[2].terminated = true;
  snapshot.tasks[3].terminated = true;
  CHECK(at(roll_up(snapshot, Level::kProcess), "100:1000").terminated);
  CHECK_FALSE(at(roll_up(snapshot, Level::kProcess), "[idle]").terminated);

  auto reborn = std::make_shared<ProcessIdentity>(*snapshot.tasks[2].process);
  reborn->task.start_ns = 77;
  snapshot.tasks.push_back(thread(100, reborn, snapshot.tasks[2].cgroup, 1, 1));
  snapshot.tasks.back().task.start_ns = 77;
  const std::vector<Row> rows = roll_up(snapshot, Level::kProcess);
  CHECK(at(rows, "100:77").energy_nj == 1 * kJoule);
  CHECK(at(rows, "100:1000").energy_nj == 35 * kJoule);
}

TEST_CASE("rollup: the uncertainty has three independent causes") {
  Snapshot snapshot = machine();
  // Edge jitter: the row's 35 J in 1 s make 35 W; 0.55 ms of them are 19.25 mJ. psys is no part.
  CHECK(at(roll_up(snapshot, Level::kProcess), "100:1000").plus_minus_nj ==
        doctest::Approx(19.25e6));
  CHECK(at(roll_up(snapshot, Level::kProcess), "[idle]").plus_minus_nj == doctest::Approx(22e6));

  snapshot.tasks[1].use.guess_var_nj2 = 9e16;
  snapshot.tasks[2].use.guess_var_nj2 = 16e16;
  snapshot.zones[0].measured = false;
  CHECK(at(roll_up(snapshot, Level::kProcess), "100:1000").plus_minus_nj == doctest::Approx(5e8));

  snapshot.source.expected_error = 0.06;
  CHECK(at(roll_up(snapshot, Level::kProcess), "100:1000").plus_minus_nj ==
        doctest::Approx(std::hypot(5e8, 35e9 * 0.06)));

  // Two zones jitter independently; an interval ten times as long has the same jitter in joules.
  snapshot = machine();
  snapshot.zones[1].in_total = true;
  snapshot.zone_use[0].duration_ns = 10 * kSecond;
  CHECK(at(roll_up(snapshot, Level::kProcess), "100:1000").plus_minus_nj ==
        doctest::Approx(std::hypot(1.925e6, 19.25e6)));
}

TEST_CASE("rollup: sorting is by size or name, and ties by id") {
  std::vector<Row> rows(4);
  const char* names[] = {"b", "a", "c", "a"};
  const std::int64_t energies[] = {5, 9, 5, 1};
  const std::uint64_t runs[] = {1, 2, 3, 3};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].id = std::to_string(4 - i);
    rows[i].name = names[i];
    rows[i].energy_nj = energies[i];
    rows[i].run_ns = runs[i];
  }
  const auto order = [&](SortKey key) {
    sort_rows(rows, key);
    std::string ids;
    for (const Row& row : rows) {
      ids += row.id;
    }
    return ids;
  };
  CHECK(order(SortKey::kWatts) == "3241");
  CHECK(order(SortKey::kCpu) == "1234");
  CHECK(order(SortKey::kName) == "1342");
  CHECK(order(SortKey::kJoules) == "3241");
}

TEST_CASE("rollup: the filter looks at all names of a row, whatever the case") {
  const std::vector<Row> processes = roll_up(machine(), Level::kProcess);
  const Row& job = at(processes, "200:2000");
  for (const char* hit :
       {"", "JOB", "/usr/BIN/job", "--verbose", "kubepods", "eeeeffff", "pod-1", "200"}) {
    CAPTURE(hit);
    CHECK(row_matches(job, hit));
  }
  CHECK_FALSE(row_matches(job, "web"));
  CHECK_FALSE(row_matches(job, "2000"));
  CHECK(row_matches(at(processes, "[idle]"), "idle"));
  CHECK_FALSE(row_matches(at(processes, "[idle]"), "0"));
  CHECK(row_matches(at(roll_up(machine(), Level::kThread), "101:1010"), "101"));
}

TEST_CASE("rollup: rows carry the names of containers, pods and machines") {
  Snapshot snapshot = machine();
  auto named = std::make_shared<CgroupIdentity>(*snapshot.tasks[4].cgroup);
  auto pod = std::make_shared<PodIdentity>();
  *pod = {"uid-1", "web-0", "shop", "StatefulSet", "web", {}};
  named->container->name = "nginx";
  named->container->pod = pod;
  snapshot.tasks[4].cgroup = named;
  auto guest = std::make_shared<ProcessIdentity>(*snapshot.tasks[1].process);
  guest->vm = std::make_shared<VmIdentity>(VmIdentity{"4711-uuid", "guest", "kvm"});
  snapshot.tasks[1].process = guest;
  const std::vector<Row> containers = roll_up(snapshot, Level::kContainer);
  CHECK(at(containers, "eeeeffff00001111").name == "nginx");
  CHECK(at(containers, "eeeeffff00001111").pod == pod);
  const std::vector<Row> pods = roll_up(snapshot, Level::kPod);
  CHECK(at(pods, "pod-1").name == "shop/web-0");
  CHECK(row_matches(at(pods, "pod-1"), "SHOP"));
  const std::vector<Row> machines = roll_up(snapshot, Level::kVm);
  CHECK(at(machines, "4711-uuid").name == "guest");
  CHECK(at(machines, "4711-uuid").energy_nj == 20 * kJoule);
  CHECK(at(machines, "4711-uuid").vm->hypervisor == "kvm");
  CHECK(at(machines, "[others]").energy_nj == 27 * kJoule);
}

}  // namespace powertrace
