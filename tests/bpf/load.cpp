// SPDX-License-Identifier: Apache-2.0
#include "bpf/load.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sys/stat.h>
#include <sys/wait.h>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "identity/cgroup_mount.hpp"

namespace powertrace::test {
namespace {

void spin(clockid_t clock, double seconds) {
  const std::uint64_t end = clock_ns(clock) + static_cast<std::uint64_t>(seconds * 1e9);
  while (clock_ns(clock) < end) {
    for (int i = 0; i < 2000; ++i) {
      asm volatile("");  // work that no optimiser removes
    }
  }
}

}  // namespace

void spin_wall(double seconds) {
  spin(CLOCK_MONOTONIC, seconds);
}
void spin_cpu(double seconds) {
  spin(CLOCK_THREAD_CPUTIME_ID, seconds);
}

Child::Child(const std::function<void()>& body) : pid_(::fork()) {
  REQUIRE(pid_ >= 0);
  if (pid_ == 0) {
    body();
    ::_exit(0);
  }
}

Child::~Child() {
  if (!reaped_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

bool Child::running() {
  if (!reaped_) {
    reaped_ = ::wait4(pid_, nullptr, WNOHANG, &usage_) == pid_;
  }
  return !reaped_;
}

double Child::wait_cpu_seconds() {
  if (!reaped_) {
    reaped_ = ::wait4(pid_, nullptr, 0, &usage_) == pid_;
  }
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage_.ru_utime) + seconds(usage_.ru_stime);
}

TestCgroup::TestCgroup(const std::string& name) {
  const CgroupMount mount = find_cgroup_mount({});
  if (mount.hierarchy != CgroupHierarchy::kV2 && mount.hierarchy != CgroupHierarchy::kHybrid) {
    why_not_ = "no cgroup v2 hierarchy is mounted";
    return;
  }
  const std::string path = mount.directory + "/" + name + "-" + std::to_string(::getpid());
  if (::mkdir(path.c_str(), 0755) != 0) {
    why_not_ = "cannot make " + path + ": " + std::strerror(errno);
    return;
  }
  path_ = path;
}

TestCgroup::~TestCgroup() {
  if (usable()) {
    ::rmdir(path_.c_str());
  }
}

std::uint64_t TestCgroup::id() const {
  struct stat status {};
  REQUIRE(::stat(path_.c_str(), &status) == 0);
  return status.st_ino;
}

void TestCgroup::join() const {
  take(::getpid());
}

void TestCgroup::take(pid_t pid) const {
  std::ofstream procs(path_ + "/cgroup.procs");
  procs << pid << std::flush;
  if (!procs) {
    std::abort();  // runs in a forked child: its parent sees the signal
  }
}

double TestCgroup::cpu_seconds() const {
  std::ifstream stat(path_ + "/cpu.stat");
  std::string key;
  std::uint64_t value = 0;
  while (stat >> key >> value) {
    if (key == "usage_usec") {
      return static_cast<double>(value) / 1e6;
    }
  }
  FAIL("no usage_usec in " << path_ << "/cpu.stat");
  return 0;
}

void watch(Tracer& tracer,
           std::uint64_t window_ns,
           const std::function<bool()>& busy,
           const std::function<void(const Window&)>& on_window,
           const Tracer::EventHandler& on_event) {
  Window window;
  bool last = false;
  while (!last) {
    ::usleep(static_cast<useconds_t>(window_ns / 1000));
    last = !busy();
    tracer.end_window();
    tracer.drain_events(on_event);
    tracer.read_window(window);
    on_window(window);
  }
}

std::uint64_t run_ns(const Window& window, const std::function<bool(const TaskUse&)>& match) {
  std::uint64_t sum = 0;
  for (const TaskUse& task : window.tasks) {
    sum += match(task) ? task.run_ns : 0;
  }
  return sum;
}

void pin_to_cpu(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  if (::sched_setaffinity(0, sizeof(set), &set) != 0) {
    std::abort();
  }
}

}  // namespace powertrace::test
