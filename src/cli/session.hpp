// SPDX-License-Identifier: Apache-2.0
//
// A pipeline that ticks in an event loop and ends cleanly on signals: what every live command
// stands on.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "base/event_loop.hpp"
#include "cli/options.hpp"
#include "pipeline/pipeline.hpp"

namespace powertrace {

// For commands that look at the machine as it is.
Status refuse_replay(const GlobalOptions& global);

// Before any thread begins, so that signals go to the loop; a thread that took one would end us all
// without the last minute of history, or with limits in force.
void block_signals();

class Session {
 public:
  // Opens everything; nothing runs yet.
  static Result<Session> open(const GlobalOptions& global,
                              std::uint64_t window_ns,
                              std::uint64_t interval_ns);

  // Runs until stop(), a signal (SIGINT, SIGTERM, SIGHUP) or an error. `on_interval` gets a
  // snapshot per interval. The exit code: as given to stop(), or 130 after a signal.
  Result<int> run(const std::function<void(const SnapshotPtr&)>& on_interval);
  void stop(int exit_code) {
    exit_code_ = exit_code;
    loop_.stop();
  }

  // What SIGHUP does instead of ending run().
  void on_hangup(std::function<void()> handler) { hangup_ = std::move(handler); }

  // From the next window on; not shorter than a window.
  void set_interval(std::uint64_t interval_ns) { interval_ns_ = interval_ns; }
  // The signal that ended run(); 0: none did.
  [[nodiscard]] int signal() const { return signal_; }

  [[nodiscard]] EventLoop& loop() { return loop_; }
  [[nodiscard]] Pipeline& pipeline() { return *pipeline_; }

 private:
  Session(EventLoop loop, std::unique_ptr<Pipeline> pipeline)
      : loop_(std::move(loop)), pipeline_(std::move(pipeline)) {}

  EventLoop loop_;
  std::unique_ptr<Pipeline> pipeline_;
  std::uint64_t window_ns_ = 0;
  std::uint64_t interval_ns_ = 0;
  std::function<void()> hangup_;
  bool verbose_ = false;
  int exit_code_ = 0;
  int signal_ = 0;
};

}  // namespace powertrace
