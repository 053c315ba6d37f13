// SPDX-License-Identifier: Apache-2.0
#include "cli/selftest/load.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <vector>

#include <sched.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "cli/exit_code.hpp"

namespace powertrace {
namespace {

constexpr int kThreads = 4;
constexpr std::uint64_t kForkPeriodNs = 1'000'000;   // a storm of 1 000 forks a second
constexpr std::uint64_t kStormChildNs = 300'000;     // CPU time of each of its children
constexpr std::uint64_t kForksChildNs = 30'000'000;  // the same for "forks"
constexpr std::uint64_t kSecondNs = 1'000'000'000;

void spin_until(clockid_t clock, std::uint64_t end_ns) {
  volatile std::uint64_t sum = 0;
  while (clock_ns(clock) < end_ns) {
    for (std::uint64_t i = 0; i < 2000; ++i) {
      sum = sum + i;
    }
  }
}

void spin_thread(std::uint64_t cpu_ns) {
  spin_until(CLOCK_THREAD_CPUTIME_ID, clock_ns(CLOCK_THREAD_CPUTIME_ID) + cpu_ns);
}

Result<int> run_threads(std::uint64_t cpu_ns) {
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back(spin_thread, cpu_ns);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  return kExitOk;
}

Status fork_child(std::uint64_t cpu_ns) {
  const pid_t pid = ::fork();
  if (pid < 0) {
    return fail_errno(errno, "cannot start a process");
  }
  if (pid == 0) {
    spin_thread(cpu_ns);
    ::_exit(kExitOk);
  }
  return {};
}

// One child after the other.
Result<int> run_forks(std::uint64_t cpu_ns) {
  for (std::uint64_t done_ns = 0; done_ns < cpu_ns; done_ns += kForksChildNs) {
    PT_TRY(fork_child(std::min(kForksChildNs, cpu_ns - done_ns)));
    ::wait(nullptr);
  }
  return kExitOk;
}

Result<int> run_storm(std::uint64_t wall_ns) {
  const std::uint64_t end_ns = monotonic_ns() + wall_ns;
  for (std::uint64_t next_ns = monotonic_ns(); next_ns < end_ns; next_ns += kForkPeriodNs) {
    PT_TRY(fork_child(kStormChildNs));
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    const timespec until{static_cast<time_t>(next_ns / kSecondNs),
                         static_cast<long>(next_ns % kSecondNs)};
    ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
  }
  while (::wait(nullptr) > 0) {
  }
  return kExitOk;
}

// Alone on the last CPU it may use, where nothing of normal priority takes its place.
Result<int> run_fifo(std::uint64_t wall_ns) {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) < 2) {
    return kExitMissing;
  }
  int last = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    last = CPU_ISSET(cpu, &allowed) ? cpu : last;
  }
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(last, &one);
  sched_param priority{};
  priority.sched_priority = 1;
  if (::sched_setaffinity(0, sizeof one, &one) != 0 ||
      ::sched_setscheduler(0, SCHED_FIFO, &priority) != 0) {
    return kExitMissing;
  }
  spin_until(CLOCK_MONOTONIC, monotonic_ns() + wall_ns);
  return kExitOk;
}

}  // namespace

Result<int> run_load(std::string_view name, std::uint64_t time_ns) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NAME, kLoadComm);
  if (name == "spin") {
    spin_thread(time_ns);
    return kExitOk;
  }
  if (name == "threads") {
    return run_threads(time_ns);
  }
  if (name == "forks") {
    return run_forks(time_ns);
  }
  if (name == "storm") {
    return run_storm(time_ns);
  }
  if (name == "fifo") {
    return run_fifo(time_ns);
  }
  return fail(ErrorCode::kUsage, "--load: there is no load \"{}\"", name);
}

}  // namespace powertrace
