// SPDX-License-Identifier: Apache-2.0
#include "model/counter_rates.hpp"

#include <doctest/doctest.h>

#include "unit/model/make.hpp"

namespace powertrace {
namespace {

using test::counted;
using test::task;

TaskUse named(TaskUse use, std::string_view comm, std::int32_t socket) {
  use.comm = test::comm(comm);
  use.socket = socket;
  return use;
}

}  // namespace

TEST_CASE("counter rates: a guess takes comm before cgroup before socket before all") {
  const Window window = test::window(
      {
          counted(named(task(1, 1000, 10), "alpha", 0), 100, 100, 200),   // 1 cycle per ns
          counted(named(task(2, 1000, 20), "beta", 1), 100, 300, 300),    // 3
          counted(named(task(3, 1000, 30), "gamma", 1), 100, 500, 1000),  // 5
          named(task(4, 1000, 20), "alpha", 1),
          named(task(5, 1000, 20), "x", 0),
          named(task(6, 1000, 99), "x", 1),
          named(task(7, 1000, 99), "x", 2),
          named(task(8, 0, 10), "alpha", 0),
      },
      {});
  const CounterRates rates(window);
  CHECK(rates.any());
  const auto cycles = [&](std::size_t i) { return rates.estimate(window.tasks[i]).cycles; };
  CHECK(cycles(0) == 1000);  // its own, scaled
  CHECK(cycles(3) == 1000);  // alpha
  CHECK(cycles(4) == 3000);  // cgroup 20
  CHECK(cycles(5) == 4000);  // socket 1: 800 cycles in 200 ns
  CHECK(cycles(6) == 3000);  // all: 900 in 300
  CHECK(cycles(7) == 0);     // did not run
  CHECK(rates.estimate(window.tasks[0]).instructions == 2000);
  CHECK(rates.estimate(window.tasks[5]).instructions == 6500);
  // 1, 3 and 5 by equal counted time: sqrt(8/3) over 3.
  CHECK(rates.spread() == doctest::Approx(0.5443310539));
}

TEST_CASE("counter rates: nothing counted, nothing guessed") {
  const Window window = test::window({task(1, 1000)}, {});
  const CounterRates rates(window);
  CHECK_FALSE(rates.any());
  CHECK(rates.estimate(window.tasks[0]).cycles == 0);
  CHECK(rates.spread() == 0);
}

TEST_CASE("counter rates: a comm without its NUL is sixteen characters, not more") {
  TaskUse use = task(1, 1000);
  use.comm.fill('x');
  use.kernel_thread = true;  // the byte behind it is not 0
  CHECK(comm_view(use.comm) == "xxxxxxxxxxxxxxxx");
  const Window window = test::window({counted(use, 10, 20), use}, {});
  CHECK(CounterRates(window).estimate(window.tasks[1]).cycles == 2000);
}

}  // namespace powertrace
