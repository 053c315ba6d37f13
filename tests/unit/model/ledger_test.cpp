// SPDX-License-Identifier: Apache-2.0
#include "model/ledger.hpp"

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

void add(Ledger& ledger, const Window& window, const AttributionConfig& config = {}) {
  ledger.add(window, attribute(window, two_zones, {}, config), two_zones);
}

}  // namespace

TEST_CASE("ledger: adds up tasks, zones and time over windows") {
  Ledger ledger(2);
  Window first =
      test::window({task(1, kSecond, 10), task(2, kSecond, 10)}, {joules(30), joules(50)});
  first.tasks[0].switches = 3;
  first.sockets[0].lost_ns = kSecond;
  add(ledger, first);
  Window second =
      test::window({task(1, kSecond, 10), task(1, kSecond, 20)}, {joules(8), joules(9)});
  second.tasks[0].switches = 4;
  second.tasks[0].comm = test::comm("renamed");
  second.start_ns = kSecond;
  second.end_ns = 2 * kSecond;
  second.zones[1].status = ZoneStatus::kUnreadable;
  second.zones[1].sys_errno = 5;
  add(ledger, second);

  CHECK(ledger.windows() == 2);
  CHECK(ledger.start_ns() == 0);
  CHECK(ledger.end_ns() == 2 * kSecond);
  CHECK(ledger.capacity_ns() == 8 * kSecond);
  CHECK(ledger.lost_ns() == kSecond);
  CHECK(ledger.entries().size() == 3);  // the same task under another cgroup is another entry
  const LedgerEntry& entry = ledger.entries().at({{1, 1000}, 10});
  CHECK(entry.run_ns == 2 * kSecond);
  CHECK(entry.switches == 7);
  CHECK(comm_view(entry.comm) == "renamed");
  CHECK(entry.energy_nj[0] == 14 * kJoule);
  CHECK(ledger.zones()[0].energy_nj == 38 * kJoule);
  CHECK(ledger.zones()[0].unattributed_nj == 10 * kJoule);
  CHECK(ledger.zones()[0].duration_ns == 2 * kSecond);
  CHECK(ledger.zones()[1].energy_nj == 50 * kJoule);
  CHECK(ledger.zones()[1].duration_ns == kSecond);
  CHECK(ledger.zones()[1].status == ZoneStatus::kUnreadable);
  CHECK(ledger.zones()[1].sys_errno == 5);
  CHECK(ledger.imbalance_nj(0) == 0);
  CHECK(ledger.imbalance_nj(1) == 0);

  ledger.clear();
  CHECK(ledger.entries().empty());
  CHECK(ledger.zones().size() == 2);
  CHECK(ledger.zones()[0].energy_nj == 0);
  CHECK(ledger.windows() == 0);
  add(ledger, second);
  CHECK(ledger.start_ns() == kSecond);
}

TEST_CASE("ledger: a task on two sockets in one window is one entry") {
  Ledger ledger(2);
  Window window = test::window({task(1, kSecond), task(1, kSecond / 2)}, {joules(1), joules(1)});
  window.tasks[1].socket = 1;
  add(ledger, window);
  CHECK(ledger.entries().size() == 1);
  CHECK(ledger.entries().begin()->second.run_ns == kSecond + kSecond / 2);
}

TEST_CASE("ledger: counters are estimated for whole runs, counted time is not") {
  Ledger ledger(2);
  TaskUse uncounted = task(2, kSecond);
  uncounted.comm = test::comm("task-1");
  const Window window =
      test::window({counted(task(1, kSecond), kSecond / 4, 500, 1000), uncounted}, {{}, {}});
  add(ledger, window);
  add(ledger, window);
  const LedgerEntry& one = ledger.entries().at({{1, 1000}, 1});
  CHECK(one.cycles == 4000);
  CHECK(one.instructions == 8000);
  CHECK(one.counted_ns == kSecond / 2);
  const LedgerEntry& other = ledger.entries().at({{2, 2000}, 1});
  CHECK(other.cycles == 4000);
  CHECK(other.counted_ns == 0);
}

TEST_CASE("ledger: the variance of guesses grows with what was guessed, per window") {
  const AttributionConfig cycles{Model::kCycles, IdlePolicy::kSeparate};
  // Rates 1 and 3 cycles per ns: the mean is 2, the spread 0.5. Task 3 is guessed at 2, task 4
  // half.
  const Window window =
      test::window({counted(task(1, kSecond), kSecond, 1 * kSecond),
                    counted(task(2, kSecond), kSecond, 3 * kSecond), task(3, kSecond)},
                   {joules(60), joules(1000)});
  Ledger ledger(2);
  add(ledger, window, cycles);
  const auto variance = [&](std::uint32_t pid) {
    return ledger.entries().at({{pid, pid * 1000ULL}, 1}).guess_var_nj2;
  };
  CHECK(variance(1) == 0);
  CHECK(variance(3) == doctest::Approx(10e9 * 10e9));  // 20 J x 0.5; psys is not in the total
  add(ledger, window, cycles);
  CHECK(variance(3) == doctest::Approx(2 * 10e9 * 10e9));

  Window half = window;
  half.tasks[0].run_ns = 2 * kSecond;  // 2 s at 1 cycle per ns, half of it guessed: 2 of 7 parts
  Ledger other(2);
  add(other, half, cycles);
  const LedgerEntry& entry = other.entries().at({{1, 1000}, 1});
  CHECK(entry.guess_var_nj2 == doctest::Approx(std::pow(60e9 * 2 / 7 * 0.5 * 0.5, 2)));

  Ledger by_time(2);
  add(by_time, window, {Model::kTime, IdlePolicy::kSeparate});
  CHECK(by_time.entries().at({{3, 3000}, 1}).guess_var_nj2 == 0);
}

TEST_CASE("ledger: balanced after many random windows") {
  CAPTURE(test::seed());
  test::Random random(test::seed());
  for (int round = 0; round < 200; ++round) {
    CAPTURE(round);
    const test::Scene base = random.scene();
    Ledger ledger(base.zones.size());
    std::vector<std::int64_t> energy_nj(base.zones.size());
    for (int w = 0; w < 10; ++w) {
      test::Scene scene = random.scene();
      scene.window.zones.resize(base.zones.size());
      const AttributionConfig config{test::kAllModels[random.upto(1)],
                                     test::kAllPolicies[random.upto(3)]};
      ledger.add(scene.window, attribute(scene.window, base.zones, scene.idle_mw, config),
                 base.zones);
      for (std::size_t z = 0; z < energy_nj.size(); ++z) {
        energy_nj[z] += usable_energy_nj(scene.window.zones[z]);
      }
    }
    for (std::size_t z = 0; z < energy_nj.size(); ++z) {
      CHECK(ledger.zones()[z].energy_nj == energy_nj[z]);
      CHECK(ledger.imbalance_nj(z) == 0);
    }
  }
}

}  // namespace powertrace
