// SPDX-License-Identifier: Apache-2.0
//
// Processes with a known amount of work, and a tracer that watches them in a thread-free loop.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <sys/resource.h>
#include <sys/types.h>
#include <vector>

#include "trace/tracer.hpp"

namespace powertrace::test {

// Spins until `seconds` of wall time have passed, or of the thread's own CPU time.
void spin_wall(double seconds);
void spin_cpu(double seconds);

// A forked process. It runs `body` and exits with 0; the destructor ends it if it still runs.
class Child {
 public:
  explicit Child(const std::function<void()>& body);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool running();
  // Waits for it. CPU time of the process and of the children it waited for.
  double wait_cpu_seconds();

 private:
  pid_t pid_;
  bool reaped_ = false;
  rusage usage_{};
};

// A cgroup of its own in the v2 hierarchy, removed with the object.
class TestCgroup {
 public:
  explicit TestCgroup(const std::string& name);
  TestCgroup(const TestCgroup&) = delete;
  TestCgroup& operator=(const TestCgroup&) = delete;
  ~TestCgroup();

  [[nodiscard]] bool usable() const { return !path_.empty(); }
  [[nodiscard]] const std::string& why_not() const { return why_not_; }
  [[nodiscard]] std::uint64_t id() const;
  [[nodiscard]] const std::string& path() const { return path_; }
  void join() const;                         // moves the calling process into it
  void take(pid_t pid) const;                // moves another
  [[nodiscard]] double cpu_seconds() const;  // cpu.stat usage_usec

 private:
  std::string path_;
  std::string why_not_;
};

// Ends a window every `window_ns` while `busy` returns true, and one more afterwards.
void watch(
    Tracer& tracer,
    std::uint64_t window_ns,
    const std::function<bool()>& busy,
    const std::function<void(const Window&)>& on_window,
    const Tracer::EventHandler& on_event = [](const pt_event&, std::size_t) {});

// Sum of run_ns over the tasks that match.
std::uint64_t run_ns(const Window& window, const std::function<bool(const TaskUse&)>& match);

void pin_to_cpu(int cpu);  // the calling thread

}  // namespace powertrace::test
