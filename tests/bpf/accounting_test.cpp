// SPDX-License-Identifier: Apache-2.0
//
// Run time against the kernel's own figures: rusage and cgroup cpu.stat.
#include <cerrno>
#include <cmath>
#include <set>
#include <sys/wait.h>
#include <thread>

#include <doctest/doctest.h>
#include <sched.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "bpf/load.hpp"

namespace powertrace::test {
namespace {

Tracer start_tracer(const TracerConfig& config = {}) {
  auto tracer = Tracer::open(config, {});
  REQUIRE_MESSAGE(tracer.has_value(), tracer.error().message);
  const Status started = tracer->start();
  REQUIRE_MESSAGE(started.has_value(), started.error().message);
  return std::move(*tracer);
}

void spin_threads(int count, double seconds) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([=] { spin_wall(seconds); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

}  // namespace

TEST_CASE("accounting: a hog's run time is what rusage says") {
  for (const int threads : {1, 2, 8}) {
    for (const std::uint64_t window_ns : {10'000'000U, 100'000'000U, 1'000'000'000U}) {
      CAPTURE(threads);
      CAPTURE(window_ns);
      Tracer tracer = start_tracer();
      Child hog([=] { spin_threads(threads, 0.6); });
      const auto tgid = static_cast<std::uint32_t>(hog.pid());
      std::uint64_t seen_ns = 0;
      watch(
          tracer, window_ns, [&] { return hog.running(); },
          [&](const Window& window) {
            seen_ns += run_ns(window, [&](const TaskUse& task) { return task.tgid == tgid; });
          });
      const double expected = hog.wait_cpu_seconds();
      CAPTURE(tracer.stats().missed_switches);
      CHECK(static_cast<double>(seen_ns) / 1e9 == doctest::Approx(expected).epsilon(0.01));
      CHECK(tracer.stats().lost_slices == 0);
    }
  }
}

TEST_CASE("accounting: a raw tracepoint says the same as a typed one") {
  TracerConfig config;
  config.typed_tracepoints = false;
  Tracer tracer = start_tracer(config);
  Child hog([] { spin_threads(3, 0.4); });
  const auto tgid = static_cast<std::uint32_t>(hog.pid());
  std::uint64_t seen_ns = 0;
  watch(
      tracer, 50'000'000, [&] { return hog.running(); },
      [&](const Window& window) {
        seen_ns += run_ns(window, [&](const TaskUse& task) { return task.tgid == tgid; });
      });
  CHECK(static_cast<double>(seen_ns) / 1e9 ==
        doctest::Approx(hog.wait_cpu_seconds()).epsilon(0.01));
  CHECK_FALSE(tracer.limits().empty());  // what is missing without lifecycle events is said
}

TEST_CASE("accounting: a full table loses nothing, the ring buffer takes over") {
  for (const std::uint32_t slots : {1U, 4U, 16U}) {
    CAPTURE(slots);
    TracerConfig config;
    config.slots_per_window = slots;
    Tracer tracer = start_tracer(config);
    // All on one CPU, whatever the machine has, and a window in which each has its turn.
    Child hog([] {
      pin_to_cpu(0);
      spin_threads(48, 0.8);
    });
    const auto tgid = static_cast<std::uint32_t>(hog.pid());
    std::uint64_t seen_ns = 0;
    std::set<std::uint32_t> seen;
    watch(
        tracer, 250'000'000, [&] { return hog.running(); },
        [&](const Window& window) {
          seen_ns += run_ns(window, [&](const TaskUse& task) { return task.tgid == tgid; });
          for (const TaskUse& task : window.tasks) {
            if (task.tgid == tgid && task.run_ns > 0) {
              seen.insert(task.task.pid);
            }
          }
        });
    CHECK(tracer.stats().overflows > 0);
    CHECK(tracer.stats().lost_slices == 0);
    CHECK(seen.size() == 49);
    CHECK(static_cast<double>(seen_ns) / 1e9 ==
          doctest::Approx(hog.wait_cpu_seconds()).epsilon(0.01));
  }
}

TEST_CASE("accounting: a task that never switches is in every window") {
  if (std::thread::hardware_concurrency() < 2) {
    MESSAGE("skipped, because a SCHED_FIFO hog needs a CPU of its own and there is only one");
    return;
  }
  // The watcher stays off the hog's CPU; the previous affinity comes back at the end.
  cpu_set_t before;
  REQUIRE(::sched_getaffinity(0, sizeof(before), &before) == 0);
  Child hog([] {
    pin_to_cpu(1);
    const sched_param param{.sched_priority = 50};
    if (::sched_setscheduler(0, SCHED_FIFO, &param) != 0) {
      ::_exit(1);
    }
    spin_wall(3);  // the destructor ends it earlier
  });
  pin_to_cpu(0);
  clockid_t hog_clock = 0;
  REQUIRE(::clock_getcpuclockid(hog.pid(), &hog_clock) == 0);
  Tracer tracer = start_tracer();
  std::uint64_t hog_ns = clock_ns(hog_clock);
  const std::uint64_t start_ns = hog_ns;
  std::uint64_t total_ns = 0;
  int windows = 0;
  int busy_windows = 0;
  std::uint64_t switches = 0;
  const std::uint64_t end_ns = monotonic_ns() + 600'000'000;
  watch(
      tracer, 20'000'000, [&] { return monotonic_ns() < end_ns; },
      [&](const Window& window) {
        const auto pid = static_cast<std::uint32_t>(hog.pid());
        const std::uint64_t seen =
            run_ns(window, [&](const TaskUse& task) { return task.task.pid == pid; });
        for (const TaskUse& task : window.tasks) {
          switches += task.task.pid == pid ? task.switches : 0;
        }
        const std::uint64_t now_ns = clock_ns(hog_clock);
        CAPTURE(windows);
        if (now_ns - hog_ns > 5'000'000) {
          CHECK(seen > 0);  // the kernel may throttle the hog, but then its clock stands still
          ++busy_windows;
        }
        hog_ns = now_ns;
        total_ns += seen;
        ++windows;
      });
  CHECK(busy_windows >= 5);
  CHECK(static_cast<double>(total_ns) ==
        doctest::Approx(static_cast<double>(hog_ns - start_ns)).epsilon(0.02));
  MESSAGE("the hog was switched " << switches << " times in " << busy_windows << " of " << windows
                                  << " windows");
  ::sched_setaffinity(0, sizeof(before), &before);
}

TEST_CASE("accounting: at least 99 % of a fork storm's CPU time is in named tasks") {
  const TestCgroup cgroup("powertrace-storm");
  if (!cgroup.usable()) {
    MESSAGE("skipped, because " << cgroup.why_not());
    return;
  }
  Tracer tracer = start_tracer();
  Child storm([&] {
    cgroup.join();
    const std::uint64_t end_ns = monotonic_ns() + 1'000'000'000;
    while (monotonic_ns() < end_ns) {
      const pid_t pid = ::fork();
      if (pid == 0) {
        spin_cpu(0.0004);
        ::_exit(0);
      }
      ::waitpid(pid, nullptr, 0);
    }
  });
  const std::uint64_t id = cgroup.id();
  std::uint64_t seen_ns = 0;
  std::set<std::uint32_t> born;
  std::set<std::uint32_t> named;
  watch(
      tracer, 100'000'000, [&] { return storm.running(); },
      [&](const Window& window) {
        seen_ns += run_ns(window, [&](const TaskUse& task) {
          if (task.cgroup_id == id) {
            named.insert(task.tgid);
          }
          return task.cgroup_id == id;
        });
      },
      [&](const pt_event& event, std::size_t size) {
        if (event.type == PT_EVENT_FORK && size >= sizeof(pt_event_process)) {
          const auto& fork = reinterpret_cast<const pt_event_process&>(event);
          if (fork.parent_tgid == static_cast<std::uint32_t>(storm.pid())) {
            born.insert(fork.tgid);
          }
        }
      });
  const double expected = cgroup.cpu_seconds();
  const double seen = static_cast<double>(seen_ns) / 1e9;
  MESSAGE(born.size() << " forks, " << seen << " of " << expected << " s seen");
  CHECK(seen >= 0.99 * expected);
  CHECK(seen <= 1.01 * expected + 0.001);
  CHECK_FALSE(born.empty());  // how many depends on what else the machine does
  for (const std::uint32_t pid : born) {
    CHECK(named.count(pid) == 1);
  }
  CHECK(tracer.stats().lost_slices == 0);
}

TEST_CASE("accounting: a task that changes its cgroup is charged to each for its part") {
  TracerConfig config;
  config.typed_tracepoints = true;
  SUBCASE("typed tracepoints tell of it") {}
  SUBCASE("raw ones do not") {
    config.typed_tracepoints = false;
  }
  const TestCgroup first("powertrace-a");
  const TestCgroup second("powertrace-b");
  if (!first.usable() || !second.usable()) {
    MESSAGE("skipped, because " << first.why_not() << second.why_not());
    return;
  }
  Tracer tracer = start_tracer(config);
  Child mover([&] {
    first.join();
    spin_cpu(0.1);
    second.join();
    spin_cpu(0.2);
  });
  std::uint64_t seen_first_ns = 0;
  std::uint64_t seen_second_ns = 0;
  watch(
      tracer,
      1'000'000'000,  // one window holds both
      [&] { return mover.running(); },
      [&](const Window& window) {
        seen_first_ns +=
            run_ns(window, [&](const TaskUse& task) { return task.cgroup_id == first.id(); });
        seen_second_ns +=
            run_ns(window, [&](const TaskUse& task) { return task.cgroup_id == second.id(); });
      });
  // Where nothing tells of the move, its slice goes to the cgroup that the task is in at the end.
  CHECK(static_cast<double>(seen_first_ns) / 1e9 == doctest::Approx(0.1).epsilon(0.25));
  CHECK(static_cast<double>(seen_second_ns) / 1e9 == doctest::Approx(0.2).epsilon(0.25));
  CHECK(static_cast<double>(seen_first_ns + seen_second_ns) / 1e9 ==
        doctest::Approx(mover.wait_cpu_seconds()).epsilon(0.02));
}

TEST_CASE(
    "accounting: a task that is moved while it runs on is charged to each cgroup for its part") {
  const TestCgroup first("powertrace-a");
  const TestCgroup second("powertrace-b");
  if (!first.usable() || !second.usable()) {
    MESSAGE("skipped, because " << first.why_not() << second.why_not());
    return;
  }
  Tracer tracer = start_tracer();
  Child hog([&] {
    first.join();
    pin_to_cpu(static_cast<int>(std::thread::hardware_concurrency()) - 1);
    const sched_param param{.sched_priority = 50};
    ::sched_setscheduler(0, SCHED_FIFO, &param);  // if not, it may switch: no harm
    spin_cpu(0.8);
  });
  const Child mover([&] {
    ::usleep(500'000);
    second.take(hog.pid());
  });
  std::uint64_t seen_first_ns = 0;
  std::uint64_t seen_second_ns = 0;
  watch(
      tracer,
      300'000'000,  // its slice is open at the begin of a window, and the move is in the middle
      [&] { return hog.running(); },
      [&](const Window& window) {
        seen_first_ns +=
            run_ns(window, [&](const TaskUse& task) { return task.cgroup_id == first.id(); });
        seen_second_ns +=
            run_ns(window, [&](const TaskUse& task) { return task.cgroup_id == second.id(); });
      });
  // The kernel, too, charges what ran since its last tick to where the task is then.
  CHECK(std::abs(static_cast<double>(seen_first_ns) / 1e9 - first.cpu_seconds()) < 0.05);
  CHECK(std::abs(static_cast<double>(seen_second_ns) / 1e9 - second.cpu_seconds()) < 0.05);
  CHECK(second.cpu_seconds() > 0.1);
  CHECK(static_cast<double>(seen_first_ns + seen_second_ns) / 1e9 ==
        doctest::Approx(hog.wait_cpu_seconds()).epsilon(0.02));
}

TEST_CASE("accounting: exec gives a task a new slot under its new name") {
  Tracer tracer = start_tracer();
  Child child([] {
    spin_cpu(0.02);
    ::execl("/bin/sh", "sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done", nullptr);
  });
  std::set<std::string> names;
  std::string exec_path;
  std::string exec_args;
  watch(
      tracer, 500'000'000, [&] { return child.running(); },
      [&](const Window& window) {
        for (const TaskUse& task : window.tasks) {
          if (task.tgid == static_cast<std::uint32_t>(child.pid())) {
            names.insert(std::string(comm_view(task.comm)));
          }
        }
      },
      [&](const pt_event& event, std::size_t size) {
        if (event.type == PT_EVENT_EXEC && size >= sizeof(pt_event_exec)) {
          const auto& exec = reinterpret_cast<const pt_event_exec&>(event);
          if (exec.process.tgid == static_cast<std::uint32_t>(child.pid())) {
            exec_path = exec.path;
            exec_args.assign(exec.args, exec.args_len);
          }
        }
      });
  CHECK_FALSE(names.empty());  // the name changes in its slot, or in the next window
  CHECK(exec_path == "/bin/sh");
  CHECK(exec_args.substr(0, 6) == std::string("sh\0-c\0", 6));
}

TEST_CASE("accounting: what a switch costs is soon known, and seldom asked") {
  Tracer tracer = start_tracer();
  Child sleeper([] {
    pin_to_cpu(0);
    for (int i = 0; i < 1000; ++i) {
      ::usleep(100);
    }
  });
  watch(
      tracer, 50'000'000, [&] { return sleeper.running(); }, [](const Window&) {});
  const TraceStats stats = tracer.stats();
  MESSAGE(stats.timed_runs << " of " << stats.switches << " switches were timed");
  CHECK(stats.switches >= 1000);
  CHECK(stats.timed_runs >= 20);
  CHECK(stats.timed_runs <= stats.switches / PT_TIMED_FIRST);
}

TEST_CASE("accounting: no window holds more run time than its CPUs had") {
  Tracer tracer = start_tracer();
  Child hog([] { spin_threads(4, 0.5); });
  int windows = 0;
  std::uint64_t run = 0;
  std::uint64_t capacity = 0;
  watch(
      tracer, 20'000'000, [&] { return hog.running(); },
      [&](const Window& window) {
        if (windows++ == 0) {
          return;  // what was running at the start is known to a scheduler tick only
        }
        run += run_ns(window, [](const TaskUse&) { return true; });
        capacity += window.sockets[0].capacity_ns;
        for (const TaskUse& task : window.tasks) {
          CHECK(task.counted_ns <= task.run_ns);
        }
      });
  CHECK(static_cast<double>(run) <= 1.005 * static_cast<double>(capacity));
}

}  // namespace powertrace::test
