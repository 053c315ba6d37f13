// SPDX-License-Identifier: Apache-2.0
#include "model/attribution.hpp"

#include <doctest/doctest.h>

#include "unit/model/make.hpp"

namespace powertrace {
namespace {

using test::counted;
using test::joules;
using test::kSecond;
using test::task;
using test::window;

using IdleMw = std::vector<std::optional<std::int64_t>>;
const std::vector<Zone> package_zone{test::zone("package-0")};

double task_joules(const Attribution& attribution, std::size_t index, std::size_t zone = 0) {
  return static_cast<double>(attribution.task(index)[zone]) / 1e9;
}

double idle_joules(const Attribution& attribution, std::size_t zone = 0) {
  return static_cast<double>(attribution.remainders[zone].idle_nj) / 1e9;
}

double unattributed_joules(const Attribution& attribution, std::size_t zone = 0) {
  return static_cast<double>(attribution.remainders[zone].unattributed_nj) / 1e9;
}

doctest::Approx about(double value) {
  return doctest::Approx(value).epsilon(1e-9);
}

}  // namespace

// One package of 4 CPUs, one second, 100 J of which 60 J idle; A ran 1 s, B half a second.
TEST_CASE("attribution: one second under each idle policy") {
  const Window second = window({task(1, kSecond, 10), task(2, kSecond / 2, 20)}, {joules(100)});
  const auto with = [&](IdlePolicy policy, const IdleMw& idle_mw) {
    return attribute(second, package_zone, idle_mw, {Model::kTime, policy});
  };

  const Attribution separate = with(IdlePolicy::kSeparate, {60'000});
  CHECK(task_joules(separate, 0) == about(40.0 * 2 / 3));
  CHECK(task_joules(separate, 1) == about(40.0 / 3));
  CHECK(idle_joules(separate) == about(60));
  CHECK(unattributed_joules(separate) == 0);

  const Attribution proportional = with(IdlePolicy::kProportional, {60'000});
  CHECK(task_joules(proportional, 0) == about(200.0 / 3));
  CHECK(task_joules(proportional, 1) == about(100.0 / 3));
  CHECK(idle_joules(proportional) == 0);

  const Attribution even = with(IdlePolicy::kEven, {60'000});
  CHECK(task_joules(even, 0) == about(30 + 40.0 * 2 / 3));
  CHECK(task_joules(even, 1) == about(30 + 40.0 / 3));
  CHECK(idle_joules(even) == 0);

  const Attribution none = with(IdlePolicy::kNone, {60'000});
  CHECK(task_joules(none, 0) == about(200.0 / 3));
  CHECK(idle_joules(none) == 0);

  // 62.5 J idle is what a capacity share would call idle: 25 and 12.5 J.
  const Attribution capacity = with(IdlePolicy::kSeparate, {62'500});
  CHECK(task_joules(capacity, 0) == about(25));
  CHECK(task_joules(capacity, 1) == about(12.5));

  const Attribution unknown = with(IdlePolicy::kSeparate, {std::nullopt});
  CHECK(task_joules(unknown, 0) == about(200.0 / 3));
  CHECK(idle_joules(unknown) == 0);
}

TEST_CASE("attribution: policies differ where cycles and time do") {
  // Equal time, A at twice the cycles of B.
  const Window second = window({counted(task(1, kSecond, 10), kSecond, 2'000'000'000),
                                counted(task(2, kSecond, 10), kSecond, 1'000'000'000)},
                               {joules(90)});
  const auto with = [&](IdlePolicy policy) {
    return attribute(second, package_zone, IdleMw{60'000}, {Model::kCycles, policy});
  };
  CHECK(task_joules(with(IdlePolicy::kSeparate), 0) == about(20));
  CHECK(task_joules(with(IdlePolicy::kProportional), 0) == about(30 + 20));
  CHECK(task_joules(with(IdlePolicy::kEven), 0) == about(40 + 20));  // one cgroup: by weight in it
  CHECK(task_joules(with(IdlePolicy::kNone), 0) == about(60));
}

TEST_CASE("attribution: a time model cannot tell busy twins apart, a cycle model can") {
  const Window second = window({counted(task(1, kSecond), kSecond, 1'310'000'000),
                                counted(task(2, kSecond), kSecond, 2'730'000'000)},
                               {joules(40.4)});
  const Attribution time =
      attribute(second, package_zone, {}, {Model::kTime, IdlePolicy::kSeparate});
  CHECK(task_joules(time, 0) == about(20.2));
  CHECK(task_joules(time, 1) == about(20.2));
  const Attribution cycles =
      attribute(second, package_zone, {}, {Model::kCycles, IdlePolicy::kSeparate});
  CHECK(task_joules(cycles, 0) == about(13.1));
  CHECK(task_joules(cycles, 1) == about(27.3));
}

TEST_CASE("attribution: idle energy follows the zone's own duration and never exceeds the zone") {
  for (const std::uint64_t duration_ns : {950'000'000ULL, 1'050'000'000ULL}) {
    const Window late = window({task(1, kSecond)}, {joules(100, duration_ns)});
    const Attribution result = attribute(late, package_zone, IdleMw{60'000}, {});
    CHECK(idle_joules(result) == about(60e-9 * static_cast<double>(duration_ns)));
  }
  const Window small = window({task(1, kSecond)}, {joules(10)});
  const Attribution result = attribute(small, package_zone, IdleMw{60'000}, {});
  CHECK(idle_joules(result) == 10);
  CHECK(task_joules(result, 0) == 0);
}

TEST_CASE("attribution: a socket's zones go to the tasks of that socket, the node's to all") {
  const std::vector<Zone> zones{test::zone("package-0", 0), test::zone("package-1", 1),
                                test::zone("psys", -1, false)};
  Window second =
      window({task(1, kSecond), task(2, kSecond)}, {joules(10), joules(30), joules(50)});
  second.tasks[1].socket = 1;
  second.sockets = {{4 * kSecond, 0}, {4 * kSecond, 0}};
  const Attribution result = attribute(second, zones, {}, {});
  CHECK(task_joules(result, 0, 0) == 10);
  CHECK(task_joules(result, 0, 1) == 0);
  CHECK(task_joules(result, 0, 2) == 25);
  CHECK(task_joules(result, 1, 0) == 0);
  CHECK(task_joules(result, 1, 1) == 30);
  CHECK(task_joules(result, 1, 2) == 25);
}

TEST_CASE("attribution: zones that were not read well get nothing") {
  for (const ZoneStatus status :
       {ZoneStatus::kFirst, ZoneStatus::kAmbiguous, ZoneStatus::kUnreadable, ZoneStatus::kGone}) {
    Window second = window({task(1, kSecond)}, {joules(10)});
    second.zones[0].status = status;
    const Attribution result = attribute(second, package_zone, IdleMw{1000}, {});
    CHECK(task_joules(result, 0) == 0);
    CHECK(idle_joules(result) == 0);
    CHECK(unattributed_joules(result) == 0);
  }
}

TEST_CASE("attribution: energy of lost run time is unattributed") {
  Window second = window({task(1, kSecond)}, {joules(40)});
  second.sockets[0].lost_ns = kSecond / 4;
  CHECK(unattributed_joules(attribute(second, package_zone, {}, {})) == about(8));

  // Idle energy: a row of its own, or divided over lost time as well, or only over cgroups.
  const IdleMw idle_mw{30'000};
  const auto with = [&](IdlePolicy policy) {
    return unattributed_joules(attribute(second, package_zone, idle_mw, {Model::kTime, policy}));
  };
  CHECK(with(IdlePolicy::kSeparate) == about(2));
  CHECK(with(IdlePolicy::kProportional) == about(8));
  CHECK(with(IdlePolicy::kEven) == about(2));
  CHECK(with(IdlePolicy::kNone) == about(8));
}

TEST_CASE("attribution: lost time weighs cycles at its socket's mean rate") {
  const std::vector<Zone> node{test::zone("psys", -1)};
  Window second = window({counted(task(1, kSecond), kSecond, 3'000'000'000),
                          counted(task(2, kSecond), kSecond, 1'000'000'000)},
                         {joules(70)});
  second.tasks[1].socket = 1;
  second.sockets = {{kSecond, kSecond}, {kSecond, 0}};
  const AttributionConfig cycles{Model::kCycles, IdlePolicy::kSeparate};
  CHECK(unattributed_joules(attribute(second, node, {}, cycles)) == about(30));  // 3 of 7
  second.sockets = {{kSecond, 0}, {kSecond, kSecond}};
  CHECK(unattributed_joules(attribute(second, node, {}, cycles)) == about(14));  // 1 of 5
  second.sockets = {{kSecond, 0}, {kSecond, 0}, {kSecond, kSecond}};
  CHECK(unattributed_joules(attribute(second, node, {}, cycles)) == about(70.0 * 2 / 6));
}

TEST_CASE("attribution: where nothing ran, energy is idle as far as it is known to be") {
  for (const IdlePolicy policy : test::kAllPolicies) {
    CAPTURE(idle_policy_name(policy));
    const AttributionConfig config{Model::kTime, policy};
    for (const Window& second : {window({}, {joules(10)}), window({task(1, 0)}, {joules(10)})}) {
      const Attribution unknown = attribute(second, package_zone, IdleMw{std::nullopt}, config);
      CHECK(idle_joules(unknown) == 10);
      CHECK(unattributed_joules(unknown) == 0);
      const Attribution known = attribute(second, package_zone, IdleMw{4'000}, config);
      CHECK(idle_joules(known) == 4);
      CHECK(unattributed_joules(known) == 6);
    }
  }
}

TEST_CASE("attribution: even gives idle energy by cgroup, not by task, and skips who never ran") {
  const Window second =
      window({task(1, kSecond, 10), task(2, kSecond, 10), task(3, kSecond, 20), task(4, 0, 30)},
             {joules(60)});
  const Attribution result =
      attribute(second, package_zone, IdleMw{60'000}, {Model::kTime, IdlePolicy::kEven});
  CHECK(task_joules(result, 0) == about(15));
  CHECK(task_joules(result, 1) == about(15));
  CHECK(task_joules(result, 2) == about(30));
  CHECK(task_joules(result, 3) == 0);
}

TEST_CASE("attribution: even gives a cgroup that ran without a cycle its part by run time") {
  const Window second = window(
      {counted(task(1, kSecond, 10), kSecond, 1000), counted(task(2, kSecond, 20), kSecond, 0),
       counted(task(3, 3 * kSecond, 20), kSecond, 0)},
      {joules(80)});
  const Attribution result =
      attribute(second, package_zone, IdleMw{80'000}, {Model::kCycles, IdlePolicy::kEven});
  CHECK(task_joules(result, 0) == about(40));
  CHECK(task_joules(result, 1) == about(10));
  CHECK(task_joules(result, 2) == about(30));
}

TEST_CASE("attribution: without a single counted cycle the cycle model is the time model") {
  const AttributionConfig cycles{Model::kCycles, IdlePolicy::kSeparate};
  const Window uncounted = window({task(1, 3 * kSecond), task(2, kSecond)}, {joules(40)});
  CHECK(task_joules(attribute(uncounted, package_zone, {}, cycles), 0) == about(30));
  const Window no_cycles =
      window({counted(task(1, 3 * kSecond), kSecond, 0), counted(task(2, kSecond), kSecond, 0)},
             {joules(40)});
  CHECK(task_joules(attribute(no_cycles, package_zone, {}, cycles), 0) == about(30));

  // The same on one socket only, where everybody else has cycles.
  Window mixed = no_cycles;
  mixed.tasks.push_back(counted(task(3, kSecond), kSecond, 1000));
  mixed.tasks.back().socket = 1;
  mixed.sockets.push_back({kSecond, 0});
  CHECK(task_joules(attribute(mixed, package_zone, {}, cycles), 0) == about(30));
}

TEST_CASE("attribution: cycles of a partly counted task are scaled to its whole run") {
  const Window second = window({counted(task(1, kSecond), kSecond / 10, 300'000'000),
                                counted(task(2, kSecond), kSecond, 1'000'000'000)},
                               {joules(40)});
  const Attribution result =
      attribute(second, package_zone, {}, {Model::kCycles, IdlePolicy::kSeparate});
  CHECK(task_joules(result, 0) == about(30));
  CHECK(result.estimates[0].cycles == about(3e9));
}

TEST_CASE("attribution: the smallest task beside a huge one keeps its nJ") {
  // Weights are scaled: a nanosecond of 1 cycle per us must not round to no weight.
  const Window second =
      window({counted(task(1, 1), 1, 1), counted(task(2, 999'999'999), 999'999'999, 999'999'999)},
             {joules(1)});
  const Attribution result =
      attribute(second, package_zone, {}, {Model::kCycles, IdlePolicy::kSeparate});
  CHECK(result.task(0)[0] == 1);
}

TEST_CASE("attribution: shorter lists than promised are missing zones, not a crash") {
  const std::vector<Zone> two{test::zone("package-0"), test::zone("dram-0")};
  const Attribution result = attribute(window({task(1, kSecond)}, {joules(5)}), two, {}, {});
  CHECK(task_joules(result, 0, 0) == 5);
  CHECK(task_joules(result, 0, 1) == 0);
}

}  // namespace powertrace
