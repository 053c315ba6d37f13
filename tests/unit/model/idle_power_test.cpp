// SPDX-License-Identifier: Apache-2.0
#include "model/idle_power.hpp"

#include <doctest/doctest.h>

#include "unit/model/make.hpp"

namespace powertrace {
namespace {

using test::joules;
using test::kSecond;
using test::task;

const std::vector<Zone> one_package{test::zone("package-0")};

// 100 ms of 4 CPUs at `watts`, busy by `busy` of their capacity.
Window tick(double watts, double busy) {
  constexpr std::uint64_t kTick = kSecond / 10;
  Window window =
      test::window({task(1, static_cast<std::uint64_t>(busy * 4e8))}, {joules(watts / 10, kTick)});
  window.sockets = {{4 * kTick, 0}};
  return window;
}

void observe(IdlePower& idle, int ticks, double watts, double busy) {
  for (int i = 0; i < ticks; ++i) {
    idle.observe(tick(watts, busy), one_package);
  }
}

}  // namespace

TEST_CASE("idle power: known after one second of near idleness, and not before") {
  IdlePower idle(1);
  CHECK_FALSE(idle.milliwatts()[0].has_value());
  observe(idle, 9, 12, 0.01);
  CHECK_FALSE(idle.milliwatts()[0].has_value());
  observe(idle, 1, 12, 0.01);
  CHECK(idle.milliwatts()[0] == 12'000);
}

TEST_CASE("idle power: busy windows teach nothing") {
  IdlePower idle(1);
  observe(idle, 100, 5, 0.02);
  CHECK_FALSE(idle.milliwatts()[0].has_value());
  observe(idle, 10, 12, 0.019);
  CHECK(idle.milliwatts()[0] == 12'000);
  observe(idle, 100, 5, 0.5);
  CHECK(idle.milliwatts()[0] == 12'000);
}

TEST_CASE("idle power: the lowest of the last 64 stretches") {
  IdlePower idle(1);
  observe(idle, 10, 12, 0);
  observe(idle, 10, 10, 0);
  CHECK(idle.milliwatts()[0] == 10'000);
  observe(idle, 10 * 63, 14, 0);
  CHECK(idle.milliwatts()[0] == 10'000);
  observe(idle, 10, 14, 0);  // the 10 W are 64 stretches ago
  CHECK(idle.milliwatts()[0] == 14'000);
}

TEST_CASE("idle power: lost run time is not idleness, an unread zone no evidence") {
  IdlePower idle(1);
  for (int i = 0; i < 20; ++i) {
    Window lost = tick(12, 0);
    lost.sockets[0].lost_ns = lost.sockets[0].capacity_ns / 10;
    idle.observe(lost, one_package);
    Window unread = tick(0, 0);
    unread.zones[0].status = ZoneStatus::kUnreadable;
    idle.observe(unread, one_package);
    Window no_cpu = tick(12, 0);
    no_cpu.sockets[0].capacity_ns = 0;
    idle.observe(no_cpu, one_package);
  }
  CHECK_FALSE(idle.milliwatts()[0].has_value());
}

TEST_CASE("idle power: each socket for itself, node zones when all of them rest") {
  const std::vector<Zone> zones{test::zone("package-0", 0), test::zone("package-1", 1),
                                test::zone("psys", -1), test::zone("package-9", 9)};
  IdlePower idle(zones.size());
  Window window = test::window({task(1, kSecond)}, {joules(90), joules(10), joules(100), {}});
  window.tasks[0].socket = 0;
  window.sockets = {{4 * kSecond, 0}, {4 * kSecond, 0}};
  idle.observe(window, zones);
  CHECK_FALSE(idle.milliwatts()[0].has_value());
  CHECK(idle.milliwatts()[1] == 10'000);
  CHECK_FALSE(idle.milliwatts()[2].has_value());
  window.tasks.clear();
  idle.observe(window, zones);
  CHECK(idle.milliwatts()[0] == 90'000);
  CHECK(idle.milliwatts()[2] == 100'000);
  CHECK_FALSE(idle.milliwatts()[3].has_value());
}

TEST_CASE("idle power: a given value stays") {
  IdlePower idle(1);
  idle.set(0, 7'000);
  observe(idle, 50, 3, 0);
  CHECK(idle.milliwatts()[0] == 7'000);
}

}  // namespace powertrace
