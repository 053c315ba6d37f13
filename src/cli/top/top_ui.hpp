// SPDX-License-Identifier: Apache-2.0
//
// The interactive screen on a thread of its own, so that a slow terminal never holds up the
// measuring. The session's thread adds snapshots; the UI thread draws and reads keys.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"
#include "cli/top/history.hpp"
#include "cli/top/screen.hpp"
#include "cli/top/terminal_guard.hpp"
#include "cli/top/top_model.hpp"

namespace powertrace::top {

class TopUi {
 public:
  // Takes over the terminal and starts the thread. Blocks, in this thread and those it will start,
  // the signals that event loops take.
  static Result<std::unique_ptr<TopUi>> start(TerminalGuard& guard,
                                              TopModel model,
                                              TopSetup setup,
                                              std::uint64_t shortest_interval_ns);
  TopUi(const TopUi&) = delete;
  TopUi& operator=(const TopUi&) = delete;
  // Gives the terminal back.
  ~TopUi();

  // Session's thread.
  void add(const SnapshotPtr& snapshot);
  [[nodiscard]] int wishes_fd() const { return wishes_fd_.get(); }  // readable: read wishes()
  struct Wishes {
    bool quit = false;
    bool terminal_closed = false;
    std::uint64_t interval_ns = 0;
  };
  Wishes wishes();

  // After the destructor would have been: what the user may want to know in the end.
  [[nodiscard]] const History& history() const { return history_; }
  // Ends the thread and gives the terminal back; history() may then be read.
  void finish();

 private:
  TopUi(TopModel model, TopSetup setup, EventLoop loop, std::unique_ptr<Screen> screen)
      : model_(std::move(model)),
        setup_(std::move(setup)),
        loop_(std::move(loop)),
        screen_(std::move(screen)) {}
  Status watch();
  void run();
  void on_keys();
  void on_signal(int signal);
  void change_interval(bool longer);
  void wish(const std::function<void(Wishes&)>& change);
  void draw();

  TerminalGuard* guard_ = nullptr;
  std::uint64_t shortest_interval_ns_ = 0;

  std::mutex mutex_;  // of the history, the wishes and done_
  History history_;
  Wishes wishes_;
  bool done_ = false;
  std::condition_variable done_changed_;

  // The UI thread's only.
  TopModel model_;
  TopSetup setup_;
  EventLoop loop_;
  std::unique_ptr<Screen> screen_;

  UniqueFd news_fd_;    // to the UI: a snapshot was added, or the end
  UniqueFd wishes_fd_;  // from the UI
  std::atomic<bool> ending_{false};
  std::atomic<bool> abandoned_{false};  // a stuck terminal is left to the guard
  std::thread thread_;
};

}  // namespace powertrace::top
