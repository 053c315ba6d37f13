// SPDX-License-Identifier: Apache-2.0
#include "model/stat.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "unit/model/make.hpp"

namespace powertrace {
namespace {

using test::counted;
using test::joules;
using test::kJoule;
using test::kSecond;
using test::task;
using test::two_zones;

void add(StatMeter& meter, const Window& window, Model model = Model::kTime) {
  meter.add(window, attribute(window, two_zones, {}, {model, IdlePolicy::kSeparate}));
}

void fork(StatMeter& meter, std::uint32_t parent, std::uint32_t child) {
  pt_event_process process{};
  process.head.type = PT_EVENT_FORK;
  process.tgid = child;
  process.start_boottime = child * 1000ULL;  // as task() starts them
  process.parent_tgid = parent;
  meter.on_event(process.head, sizeof(process));
}

}  // namespace

TEST_CASE("stat: the command's energy is its and its descendants', exactly") {
  StatMeter meter(10, two_zones, 0);
  fork(meter, 10, 11);
  add(meter, test::window({task(10, kSecond), task(11, kSecond), task(12, kSecond)},
                          {joules(31), joules(50)}));
  fork(meter, 11, 12);  // too late for what it ran before
  Window second = test::window({task(12, kSecond), task(13, kSecond)}, {joules(9), joules(12)});
  second.start_ns = kSecond;
  second.end_ns = 3 * kSecond;
  add(meter, second);
  const StatRun run = meter.result();
  // A third of 31 J is no whole number of nJ: both of the tasks' parts are rounded ones.
  const std::int64_t others_nj = run.machine.nj - run.command.nj;
  CHECK(run.machine.nj == 40 * kJoule);
  CHECK(std::llabs(others_nj - (31 * kJoule / 3 + 9 * kJoule / 2)) <= 1);
  CHECK(run.zones[0].command.nj == run.command.nj);
  CHECK(run.zones[1].machine.nj == 62 * kJoule);  // shown, but in no sum
  CHECK(run.run_ns == 3 * kSecond);
  CHECK(run.interval_ns == 3 * kSecond);
  CHECK(run.windows == 2);
  CHECK(run.processes == 3);
  CHECK(run.threads == 3);
  CHECK(run.survivors == 3);
  CHECK(run.cycles == 0);
}

TEST_CASE("stat: a command that never ran used nothing") {
  StatMeter meter(10, two_zones, 0.06);
  add(meter, test::window({task(11, kSecond)}, {joules(30), joules(50)}));
  const StatRun run = meter.result();
  CHECK(run.command.nj == 0);
  CHECK(run.command.sigma_nj == 0);
  CHECK(run.machine.nj == 30 * kJoule);
  CHECK(run.zones.size() == 2);
  CHECK(StatMeter(10, two_zones, 0).result().interval_ns == 0);
}

TEST_CASE("stat: idle and unattributed energy are told apart from the command's") {
  StatMeter meter(10, two_zones, 0);
  Window window = test::window({task(10, kSecond)}, {joules(30), joules(50)});
  window.sockets[0].lost_ns = kSecond;
  const std::vector<std::optional<std::int64_t>> idle_mw{10'000, std::nullopt};
  meter.add(window, attribute(window, two_zones, idle_mw, {}));
  const StatRun run = meter.result();
  CHECK(run.idle.nj == 10 * kJoule);
  CHECK(run.command.nj == 10 * kJoule);
  CHECK(run.unattributed_nj == 10 * kJoule);
}

TEST_CASE("stat: ± is the jitter of the edges, the guessed rates and the source's error") {
  SUBCASE("a measured zone: 0.55 ms of its power") {
    StatMeter meter(10, two_zones, 0);
    add(meter, test::window({task(10, kSecond)}, {joules(30), joules(50)}));
    const StatRun run = meter.result();
    CHECK(run.command.sigma_nj == doctest::Approx(30e9 * 0.00055));
    CHECK(run.zones[1].command.sigma_nj == doctest::Approx(50e9 * 0.00055));
  }
  SUBCASE("the source's error does not average out over windows") {
    StatMeter meter(10, two_zones, 0.1);
    for (int i = 0; i < 4; ++i) {
      add(meter, test::window({task(10, kSecond)}, {joules(30), joules(50)}));
    }
    CHECK(meter.result().command.sigma_nj == doctest::Approx(12e9).epsilon(0.001));
  }
  SUBCASE("rates that were guessed widen the sum and each zone alike") {
    StatMeter meter(10, two_zones, 0);
    add(meter,
        test::window({task(10, kSecond), counted(task(11, kSecond), kSecond, 1'000'000'000),
                      counted(task(12, kSecond), kSecond, 3'000'000'000)},
                     {joules(60), joules(60)}),
        Model::kCycles);
    const StatRun run = meter.result();
    CHECK(run.command.nj == 20 * kJoule);
    CHECK(run.command.sigma_nj == doctest::Approx(10e9).epsilon(0.001));
    CHECK(run.zones[0].command.sigma_nj == doctest::Approx(10e9).epsilon(0.001));
    CHECK(run.cycles == doctest::Approx(2e9));
  }
}

}  // namespace powertrace
