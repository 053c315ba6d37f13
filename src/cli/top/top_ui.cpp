// SPDX-License-Identifier: Apache-2.0
#include "cli/top/top_ui.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <sys/eventfd.h>
#include <utility>

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include "cli/top/top_view.hpp"

namespace powertrace::top {
namespace {

constexpr std::uint64_t kMs = 1'000'000;
constexpr std::array<std::uint64_t, 10> kIntervals{100 * kMs,   200 * kMs,  500 * kMs,  1000 * kMs,
                                                   2000 * kMs,  3000 * kMs, 5000 * kMs, 10000 * kMs,
                                                   30000 * kMs, 60000 * kMs};

void notify(const UniqueFd& fd) {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(fd.get(), &one, sizeof(one));
}

void take(const UniqueFd& fd) {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t size = ::read(fd.get(), &count, sizeof(count));
}

}  // namespace

Result<std::unique_ptr<TopUi>> TopUi::start(TerminalGuard& guard,
                                            TopModel model,
                                            TopSetup setup,
                                            std::uint64_t shortest_interval_ns) {
  PT_ASSIGN(EventLoop loop, EventLoop::create());
  sigset_t session_signals;
  sigemptyset(&session_signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP}) {
    sigaddset(&session_signals, signal);
  }
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &session_signals, nullptr); error != 0) {
    return fail_errno(error, "cannot block signals");
  }
  PT_ASSIGN(std::unique_ptr<Screen> screen, Screen::open(guard));
  std::unique_ptr<TopUi> ui(
      new TopUi(std::move(model), std::move(setup), std::move(loop), std::move(screen)));
  ui->guard_ = &guard;
  ui->shortest_interval_ns_ = shortest_interval_ns;
  ui->wishes_.interval_ns = ui->model_.interval_ns();
  PT_TRY(ui->watch());
  ui->thread_ = std::thread([raw = ui.get()] { raw->run(); });
  return ui;
}

Status TopUi::watch() {
  news_fd_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  wishes_fd_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!news_fd_.valid() || !wishes_fd_.valid()) {
    return fail_errno(errno, "cannot create an event descriptor");
  }
  PT_TRY(loop_.add_signals({SIGWINCH, SIGTSTP}, [this](int signal) { on_signal(signal); }));
  PT_TRY(loop_.add_fd(STDIN_FILENO, [this] { on_keys(); }));
  return loop_.add_fd(news_fd_.get(), [this] {
    take(news_fd_);
    if (ending_) {
      loop_.stop();
    } else {
      draw();
    }
  });
}

TopUi::~TopUi() {
  finish();
}

void TopUi::run() {
  draw();
  const Status status = loop_.run();
  if (!status) {
    wish([](Wishes& wishes) { wishes.quit = true; });
  }
  screen_.reset();
  if (!abandoned_) {
    guard_->disarm();
  }
  const std::lock_guard lock(mutex_);
  done_ = true;
  done_changed_.notify_all();
}

void TopUi::finish() {
  if (!thread_.joinable()) {
    return;
  }
  ending_ = true;
  notify(news_fd_);
  std::unique_lock lock(mutex_);
  const auto is_done = [this] { return done_; };
  for (int waits = 0; !done_changed_.wait_for(lock, std::chrono::milliseconds(300), is_done);
       ++waits) {
    // The thread hangs in a write to a terminal that takes nothing: Ctrl-S, or a dead line. TCOON
    // undoes only what TCOOFF did, so both.
    ::tcflow(STDOUT_FILENO, TCOOFF);
    ::tcflow(STDOUT_FILENO, TCOON);
    if (waits > 0) {
      abandoned_ = true;
      ::tcflush(STDOUT_FILENO, TCOFLUSH);
    }
  }
  lock.unlock();
  thread_.join();
}

void TopUi::add(const SnapshotPtr& snapshot) {
  {
    const std::lock_guard lock(mutex_);
    history_.add(snapshot);
  }
  notify(news_fd_);
}

TopUi::Wishes TopUi::wishes() {
  take(wishes_fd_);
  const std::lock_guard lock(mutex_);
  return wishes_;
}

void TopUi::wish(const std::function<void(Wishes&)>& change) {
  {
    const std::lock_guard lock(mutex_);
    change(wishes_);
  }
  notify(wishes_fd_);
}

void TopUi::on_signal(int signal) {
  if (signal == SIGTSTP) {
    screen_->suspend();
  } else {
    screen_->resize();
  }
  draw();
}

void TopUi::on_keys() {
  if (Screen::closed()) {
    loop_.remove_fd(STDIN_FILENO);
    wish([](Wishes& wishes) { wishes.terminal_closed = true; });
    return;
  }
  while (const std::optional<Key> key = screen_->read_key()) {
    Action action = Action::kNone;
    {
      const std::lock_guard lock(mutex_);
      action = model_.press(*key, history_);
      // The next key may depend on the rows that this one has made.
      model_.prepare(history_, setup_, table_rows(screen_->size()));
    }
    switch (action) {
      case Action::kQuit:
        wish([](Wishes& wishes) { wishes.quit = true; });
        return;
      case Action::kFaster:
        change_interval(false);
        break;
      case Action::kSlower:
        change_interval(true);
        break;
      case Action::kRedraw:
        screen_->redraw();
        break;
      case Action::kNone:
        break;
    }
  }
  draw();
}

void TopUi::change_interval(bool longer) {
  const std::uint64_t now = model_.interval_ns();
  std::uint64_t next = now;
  if (longer) {
    const auto at = std::upper_bound(kIntervals.begin(), kIntervals.end(), now);
    next = at != kIntervals.end() ? *at : now;
  } else {
    const auto at = std::lower_bound(kIntervals.begin(), kIntervals.end(), now);
    next = at != kIntervals.begin() ? *(at - 1) : now;
    next = std::min(now, std::max(next, shortest_interval_ns_));
  }
  if (next == now) {
    model_.say(longer ? "that is the longest interval"
                      : "an interval cannot be shorter than a window (--window)");
    return;
  }
  model_.set_interval(next);
  wish([next](Wishes& wishes) { wishes.interval_ns = next; });
}

void TopUi::draw() {
  if (const std::string text = guard_->caught(); !text.empty()) {
    model_.say(text);
  }
  Frame frame;
  {
    const std::lock_guard lock(mutex_);
    model_.prepare(history_, setup_, table_rows(screen_->size()));
    frame = render(model_, history_, setup_, screen_->size());
  }
  screen_->draw(frame);
}

}  // namespace powertrace::top
