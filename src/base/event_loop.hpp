// SPDX-License-Identifier: Apache-2.0
//
// One epoll loop: timers, signals and file descriptors, handled one after the other on the thread
// that calls run(). Handlers may add and remove descriptors and stop the loop.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

struct signalfd_siginfo;

namespace powertrace {

class EventLoop {
 public:
  static Result<EventLoop> create();

  // Calls `handler` whenever `fd` is readable or hung up. The fd stays the caller's.
  Status add_fd(int fd, std::function<void()> handler);
  void remove_fd(int fd);

  // Every `period_ns` from now on, on CLOCK_MONOTONIC. Ticks that were missed are not repeated.
  Status add_timer(std::uint64_t period_ns, std::function<void()> handler);

  // Blocks the signals for the whole process and delivers them here.
  Status add_signals(std::initializer_list<int> signals, std::function<void(int)> handler);
  // The same, for who needs to know where a signal came from.
  Status add_signals_with_origin(std::initializer_list<int> signals,
                                 std::function<void(const signalfd_siginfo&)> handler);

  // Until stop(), or an error of epoll itself.
  Status run();
  void stop() { running_ = false; }

 private:
  UniqueFd epoll_;
  std::map<int, std::shared_ptr<std::function<void()>>> handlers_;
  std::vector<UniqueFd> owned_;  // timers and signals
  bool running_ = false;
};

}  // namespace powertrace
