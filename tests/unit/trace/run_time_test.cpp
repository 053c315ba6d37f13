// SPDX-License-Identifier: Apache-2.0
#include "trace/run_time.hpp"

#include <map>
#include <random>

#include <doctest/doctest.h>

#include "support/units.hpp"

namespace powertrace {
namespace {

using powertrace::test::kSecond;

constexpr std::uint64_t kStart = 1000 * kSecond;

TaskUse use_of(std::uint32_t pid, std::int64_t run_ns, std::uint64_t born_ns = 1, int socket = 0) {
  TaskUse use;
  use.task = {pid, born_ns};
  use.socket = socket;
  use.run_ns = static_cast<std::uint64_t>(run_ns);
  return use;
}

// One window with one use of one task: what it is charged.
std::uint64_t settle_one(RunTime& time,
                         const TaskUse& use,
                         std::uint64_t sum_ns,
                         std::uint64_t now_ns) {
  Window window;
  window.tasks = {use};
  time.note(use.task, sum_ns);
  time.settle(window, now_ns);
  return window.tasks[0].run_ns;
}

}  // namespace

TEST_CASE("run time: of a task that was there before, what its slices say") {
  RunTime time;
  time.start(kStart);
  CHECK(settle_one(time, use_of(7, 300), 5'000'300, kStart + 10) == 300);
}

TEST_CASE("run time: hidden slices are added when the task is seen again") {
  RunTime time;
  time.start(kStart);
  CHECK(settle_one(time, use_of(7, 300), 5300, kStart + 10) == 300);
  CHECK(settle_one(time, use_of(7, 200), 5600, kStart + 20) == 300);  // 100 of it unseen
  CHECK(settle_one(time, use_of(7, 0), 6000, kStart + 30) == 400);    // all of it
}

TEST_CASE("run time: of a task born while we watch, nothing is missed") {
  RunTime time;
  time.start(kStart);
  CHECK(settle_one(time, use_of(8, 100, kStart + 5), 900, kStart + 10) == 900);
}

TEST_CASE("run time: what an edge estimated too much is taken back, never below 0") {
  RunTime time;
  time.start(kStart);
  CHECK(settle_one(time, use_of(7, 1000), 9000, kStart + 10) == 1000);
  CHECK(settle_one(time, use_of(7, -600), 8400, kStart + 20) == 0);
  CHECK(settle_one(time, use_of(7, 400), 8800, kStart + 30) == 0);
  CHECK(settle_one(time, use_of(7, 400), 9200, kStart + 40) == 200);
}

TEST_CASE("run time: a slot that was never charged says nothing") {
  RunTime time;
  time.start(kStart);
  CHECK(settle_one(time, use_of(7, 0), 0, kStart + 10) == 0);
  CHECK(settle_one(time, use_of(7, 50), 7050, kStart + 20) == 50);
}

TEST_CASE("run time: a pid that is used again is another task") {
  RunTime time;
  time.start(kStart);
  CHECK(settle_one(time, use_of(7, 100, kStart + 1), 100, kStart + 10) == 100);
  CHECK(settle_one(time, use_of(7, 70, kStart + 8), 70, kStart + 20) == 70);
}

TEST_CASE("run time: a task that comes back after a long sleep starts afresh") {
  RunTime time;
  time.start(kStart);
  const auto crowd = [&](std::uint32_t first_pid, std::uint64_t now_ns) {
    Window window;
    for (std::uint32_t pid = first_pid; pid < first_pid + 10'000; ++pid) {
      window.tasks.push_back(use_of(pid, 10));
      time.note(window.tasks.back().task, 1'000'010);
    }
    time.settle(window, now_ns);
  };
  crowd(100, kStart + kSecond);
  crowd(20'000, kStart + 20 * kSecond);
  crowd(40'000, kStart + 21 * kSecond);  // too many to remember the first
  CHECK(settle_one(time, use_of(100, 20), 1'000'050, kStart + 22 * kSecond) == 20);
  CHECK(settle_one(time, use_of(20'000, 20), 1'000'050, kStart + 22 * kSecond) == 40);
}

// Tasks run on random sockets in random slices, some hidden, with edges that estimate too much:
// in the end every nanosecond of the scheduler's sums has been charged once.
TEST_CASE("run time: sums are exact whatever is hidden") {
  std::mt19937_64 random(20260);
  RunTime time;
  time.start(kStart);
  std::map<std::uint32_t, std::uint64_t> sums;
  std::map<std::uint32_t, std::uint64_t> charged;
  for (int number = 1; number <= 200; ++number) {
    Window window;
    for (std::uint32_t pid = 1; pid <= 20; ++pid) {
      const TaskId task{pid, kStart + 1};
      for (int socket = 0; socket < 2; ++socket) {
        std::uint64_t& sum = sums[pid];
        sum += random() % 3 == 0 ? random() % 5000 : 0;  // hidden
        if (random() % 4 == 0 && number < 200) {
          continue;
        }
        const std::uint64_t ran = random() % 10'000;
        sum += ran;
        const std::uint64_t too_much = number < 200 ? random() % 3000 : 0;
        window.tasks.push_back(
            use_of(pid, static_cast<std::int64_t>(ran + too_much), kStart + 1, socket));
        time.note(task, sum + (socket == 1 ? too_much : 0));
      }
    }
    time.settle(window, kStart + static_cast<std::uint64_t>(number) * 1'000'000);
    for (const TaskUse& use : window.tasks) {
      CHECK(use.run_ns < kSecond);
      charged[use.task.pid] += use.run_ns;
    }
  }
  for (const auto& entry : sums) {
    const std::uint32_t pid = entry.first;  // clang 14 captures no structured binding
    const std::uint64_t sum = entry.second;
    CAPTURE(pid);
    CHECK(charged[pid] >= sum);
    CHECK(charged[pid] <= sum + 13'000);  // what the last windows' edges estimated too much
  }
}

}  // namespace powertrace
