// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "serve/labels.hpp"
#include "snapshots.hpp"

using namespace powertrace;
using test::Machine;
using test::nobody_lives;
using test::Person;
using test::person;

namespace {

const std::string kId(64, 'a');
const std::string kOtherId(64, 'b');

ContainerIdentity container(const std::string& id,
                            std::string pod_uid = "",
                            std::string name = "") {
  return {id, "containerd", std::move(pod_uid), std::move(name), nullptr};
}

AccountTotals sum_of(const LevelView& level) {
  AccountTotals sum = level.gone;
  for (const WorkloadView& workload : level.workloads) {
    sum += workload.use.total;
  }
  for (const AccountUsage* row :
       {&level.kernel, &level.powertrace, &level.outside, &level.folded}) {
    sum += row->total;
  }
  return sum;
}

// Every level makes up what the zones gave, to the nJ.
void check_sums(const AccountView& view, bool processes) {
  for (std::size_t kind = 0; kind < kZoneKinds; ++kind) {
    CAPTURE(kind);
    const std::int64_t attributed =
        view.energy_nj[kind] - view.idle_nj[kind] - view.unattributed_nj[kind];
    CHECK(view.used.energy_nj[kind] == attributed);
    for (std::size_t i = 0; i < kAccountLevels - (processes ? 0 : 1); ++i) {
      CAPTURE(i);
      const AccountTotals sum = sum_of(view.levels[i]);
      CHECK(sum.energy_nj[kind] == attributed);
      CHECK(sum.kepler_nj[kind] == view.kepler_active_nj[kind]);
      CHECK(sum.run_ns == view.used.run_ns);
    }
  }
}

const WorkloadView* find(const LevelView& level, const std::string& label) {
  for (const WorkloadView& workload : level.workloads) {
    if (workload.labels->own.find(label) != std::string::npos) {
      return &workload;
    }
  }
  return nullptr;
}

std::vector<Person> some_people(Machine& machine) {
  std::vector<Person> people;
  for (std::uint32_t pid = 100; pid < 160; ++pid) {
    if (machine.number(3) == 0) {
      continue;
    }
    const auto at = static_cast<std::size_t>(machine.number(5));
    const std::string path = "/c" + std::to_string(at);
    if (at < 3) {
      people.push_back(
          person(pid, "worker", path,
                 container(std::string(64, static_cast<char>('a' + at)), at == 0 ? "" : "pod-1")));
    } else {
      people.push_back(person(pid, "worker", path));
    }
  }
  people.push_back(person(test::kSelfPid, "powertrace", "/self"));
  Person kernel = person(2, "kworker", "/");
  kernel.kernel_thread = true;
  people.push_back(kernel);
  return people;
}

}  // namespace

TEST_CASE("account: every level adds up and nothing decreases, whatever comes and goes") {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    Machine machine(seed);
    AccountConfig config;
    config.processes = true;
    config.even_idle = true;
    config.keep_ended_ns = 20 * test::kSecond;
    config.top = seed % 2 == 0 ? 3 : 0;
    config.min_nj = seed == 3 ? 5'000'000'000 : 0;
    Account account(config, nobody_lives());
    std::array<AccountTotals, kAccountLevels> before{};
    for (int i = 0; i < 200; ++i) {
      const std::vector<Person> people = some_people(machine);
      account.add(machine.second(people, {people.front().process->task.pid}));
      if (i % 50 == 49) {
        machine.sleep(40);
      }
      const AccountViewPtr view = account.view();
      check_sums(*view, true);
      for (std::size_t level = 0; level < kAccountLevels; ++level) {
        const AccountTotals now = sum_of(view->levels[level]);
        CHECK(total_nj(now.energy_nj) >= total_nj(before[level].energy_nj));
        before[level] = now;
        if (config.top != 0) {
          CHECK(view->levels[level].workloads.size() <= 3);
        }
      }
    }
    // Idle energy is divided without loss, but for what is less than 1 nJ per bearer.
    const AccountViewPtr view = account.view();
    const AccountTotals processes = sum_of(view->level(AccountLevel::kProcess));
    const std::int64_t package = static_cast<std::int64_t>(ZoneKind::kPackage);
    CHECK(view->idle_nj[static_cast<std::size_t>(package)] - processes.idle_nj[0] < 100);
    CHECK(sum_of(view->level(AccountLevel::kContainer)).idle_nj == processes.idle_nj);
  }
}

TEST_CASE("account: two sockets are one kind, core is not part of the total") {
  Machine machine;
  Account account({}, nobody_lives());
  const SnapshotPtr second = machine.second({person(1, "a", "/a")});
  account.add(second);
  const AccountViewPtr view = account.view();
  CHECK(view->energy_nj[kind_index(ZoneKind::kPackage)] ==
        second->zone_use[0].energy_nj + second->zone_use[1].energy_nj);
  CHECK(view->has_kind[kind_index(ZoneKind::kCore)]);
  CHECK(total_nj(view->energy_nj) == second->zone_use[0].energy_nj + second->zone_use[1].energy_nj +
                                         second->zone_use[3].energy_nj);
}

TEST_CASE("account: what ended stays for its time; if it was brief, its energy is in [others]") {
  Machine machine;
  AccountConfig config;
  config.processes = true;
  config.keep_ended_ns = 60 * test::kSecond;
  Account account(config, nobody_lives());
  const Person one = person(7, "short", "/job", container(kId));
  account.add(machine.second({one}, {7}));
  AccountViewPtr view = account.view();
  const WorkloadView* process = find(view->level(AccountLevel::kProcess), "pid=\"7\"");
  REQUIRE(process != nullptr);
  CHECK(process->terminated);
  const std::int64_t energy = total_nj(process->use.total.energy_nj);
  for (int i = 0; i < 3; ++i) {
    machine.sleep(14);
    account.add(machine.second({person(8, "other", "/other")}));
    CHECK(find(account.view()->level(AccountLevel::kProcess), "pid=\"7\"") != nullptr);
  }
  machine.sleep(30);
  account.add(machine.second({person(8, "other", "/other")}));
  view = account.view();
  CHECK(find(view->level(AccountLevel::kProcess), "pid=\"7\"") == nullptr);
  CHECK(total_nj(view->level(AccountLevel::kProcess).folded.total.energy_nj) == energy);
  check_sums(*view, true);
}

TEST_CASE("account: [others] does not rise by what a workload's own series told") {
  Machine machine;
  AccountConfig config;
  config.keep_ended_ns = 60 * test::kSecond;
  Account account(config, nobody_lives());
  const Person one = person(7, "long", "/job", container(kId));
  const Person other = person(8, "other", "/other");
  for (int i = 0; i < 30; ++i) {
    account.add(machine.second({one, other}));
  }
  const AccountViewPtr before = account.view();
  const WorkloadView* shown = find(before->level(AccountLevel::kContainer), kId);
  REQUIRE(shown != nullptr);
  const std::int64_t energy = total_nj(shown->use.total.energy_nj);
  for (int i = 0; i < 8; ++i) {
    machine.sleep(14);
    account.add(machine.second({other}));
  }
  const AccountViewPtr after = account.view();
  const LevelView& containers = after->level(AccountLevel::kContainer);
  CHECK(find(containers, kId) == nullptr);
  CHECK(total_nj(containers.folded.total.energy_nj) == 0);
  CHECK(total_nj(containers.gone.energy_nj) == energy);
  check_sums(*after, false);
}

TEST_CASE("account: parents keep the energy of children that ended") {
  Machine machine;
  AccountConfig config;
  config.keep_ended_ns = test::kSecond;
  Liveness liveness = nobody_lives();
  liveness.cgroup = [](const CgroupIdentity&) { return std::optional<bool>(true); };
  Account account(config, liveness);
  const Person one = person(7, "short", "/job", container(kId, "pod-1"));
  account.add(machine.second({one}, {7}));
  const std::int64_t energy =
      total_nj(account.view()->level(AccountLevel::kPod).workloads.at(0).use.total.energy_nj);
  CHECK(energy > 0);
  machine.sleep(500);
  account.add(machine.second({}));
  for (const AccountLevel level :
       {AccountLevel::kCgroup, AccountLevel::kContainer, AccountLevel::kPod}) {
    const AccountViewPtr view = account.view();
    REQUIRE(view->level(level).workloads.size() == 1);
    const WorkloadView& workload = view->level(level).workloads[0];
    CHECK(total_nj(workload.use.total.energy_nj) == energy);
    CHECK_FALSE(workload.terminated);
  }
}

TEST_CASE("account: a pid's next bearer begins at nothing") {
  Machine machine;
  AccountConfig config;
  config.processes = true;
  Account account(config, nobody_lives());
  account.add(machine.second({person(7, "first", "/job")}));
  const SnapshotPtr second =
      machine.second({person(7, "second", "/job", std::nullopt, 5 * test::kSecond)});
  account.add(second);
  const AccountViewPtr view = account.view();
  REQUIRE(view->level(AccountLevel::kProcess).workloads.size() == 1);
  const WorkloadView& now = view->level(AccountLevel::kProcess).workloads[0];
  CHECK(now.labels->own.find("comm=\"second\"") != std::string::npos);
  CHECK(now.use.total.run_ns == second->tasks[0].use.run_ns);
  check_sums(*view, true);
}

TEST_CASE("account: names that arrive later") {
  Machine machine;
  Account account({}, nobody_lives());
  account.add(machine.second({person(7, "app", "/job", container(kId))}));
  CHECK(account.view()
            ->level(AccountLevel::kContainer)
            .workloads[0]
            .labels->own.find("container_name=\"\"") != std::string::npos);
  account.add(machine.second({person(7, "app", "/job", container(kId, "", "web"))}));
  const AccountViewPtr view = account.view();
  REQUIRE(view->level(AccountLevel::kContainer).workloads.size() == 1);
  CHECK(view->level(AccountLevel::kContainer)
            .workloads[0]
            .labels->own.find("container_name=\"web\"") != std::string::npos);
}

TEST_CASE("account: filters fold, and change while it runs") {
  Machine machine;
  AccountConfig config;
  config.processes = true;
  config.filter.deny = {*parse_filter_rule("comm=sec*")};
  config.filter.allow = {*parse_filter_rule("cgroup=/a*")};
  Account account(config, nobody_lives());
  const std::vector<Person> people{person(7, "secret", "/a"), person(8, "app", "/a/b"),
                                   person(9, "app", "/c")};
  account.add(machine.second(people));
  AccountViewPtr view = account.view();
  CHECK(view->level(AccountLevel::kProcess).workloads.size() == 1);
  CHECK(view->level(AccountLevel::kCgroup).workloads.size() == 2);
  CHECK(view->level(AccountLevel::kCgroup).hidden == 1);
  check_sums(*view, true);
  config.filter = {};
  account.configure(config);
  account.add(machine.second(people));
  view = account.view();
  CHECK(view->level(AccountLevel::kProcess).workloads.size() == 3);
  check_sums(*view, true);
  config.filter.deny = {*parse_filter_rule("comm=*")};
  account.configure(config);
  account.add(machine.second(people));
  CHECK(account.view()->level(AccountLevel::kProcess).workloads.empty());
  check_sums(*account.view(), true);
}

TEST_CASE("account: processes that are kept from some time on add up all the same") {
  Machine machine;
  AccountConfig config;
  Account account(config, nobody_lives());
  const std::vector<Person> people{person(7, "app", "/a"), person(test::kSelfPid, "self", "/b")};
  account.add(machine.second(people));
  config.processes = true;
  account.configure(config);
  account.add(machine.second(people));
  check_sums(*account.view(), true);
  config.processes = false;
  account.configure(config);
  account.add(machine.second(people));
  config.processes = true;
  account.configure(config);
  account.add(machine.second(people));
  check_sums(*account.view(), true);
}

TEST_CASE("account: --max-series holds for all levels together") {
  Machine machine;
  AccountConfig config;
  config.max_series = 100;
  config.series_each = {10, 10, 10, 10, 10};
  config.processes = true;
  Account account(config, nobody_lives());
  for (int i = 0; i < 60; ++i) {
    std::vector<Person> people;
    for (std::uint32_t pid = 0; pid < 50; ++pid) {
      people.push_back(person(100 + pid, "app", "/c" + std::to_string(pid)));
    }
    account.add(machine.second(people));
    std::size_t shown = 0;
    const AccountViewPtr view = account.view();
    for (const LevelView& level : view->levels) {
      shown += level.workloads.size();
    }
    CHECK(shown <= 10);
  }
  check_sums(*account.view(), true);
}

TEST_CASE("filter: patterns") {
  CHECK(glob_match("*", ""));
  CHECK(glob_match("a*c?", "abbbcd"));
  CHECK(glob_match("**/x", "/a/b/x"));
  CHECK_FALSE(glob_match("a", "ab"));
  CHECK_FALSE(glob_match("?", ""));
  // Linear enough for a hostile pattern.
  CHECK_FALSE(glob_match("*a*a*a*a*a*a*a*b", std::string(2000, 'a')));
  CHECK_FALSE(parse_filter_rule("name=x"));
  CHECK_FALSE(parse_filter_rule("comm"));
  CHECK_FALSE(parse_filter_rule("comm="));
}
