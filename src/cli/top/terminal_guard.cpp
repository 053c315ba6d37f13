// SPDX-License-Identifier: Apache-2.0
#include "cli/top/terminal_guard.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace powertrace::top {
namespace {

constexpr std::size_t kKeptBytes = 16384;

// What the child is told. Smaller than PIPE_BUF, so it arrives whole.
struct Order {
  bool armed = false;
  termios before{};
  termios during{};
  std::size_t restore_size = 0;
  std::array<char, 256> restore{};
};
static_assert(sizeof(Order) < 4096);

bool same_modes(const termios& a, const termios& b) {
  return a.c_iflag == b.c_iflag && a.c_oflag == b.c_oflag && a.c_cflag == b.c_cflag &&
         a.c_lflag == b.c_lflag;
}

void write_all(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(fd, data, size);
    if (written <= 0) {
      return;  // the terminal is gone, and with it what there was to restore
    }
    data += written;
    size -= static_cast<std::size_t>(written);
  }
}

// Runs in the child, which has only this thread: system calls, no allocation.
[[noreturn]] void watch(int orders, int caught) {
  // Ctrl-C and the like go to the whole foreground group; a background process may not set modes
  // unless it ignores SIGTTOU.
  for (const int signal : {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP, SIGTTOU, SIGTTIN, SIGPIPE}) {
    std::signal(signal, SIG_IGN);
  }
  ::prctl(PR_SET_NAME, "powertrace-tty");
  Order order;
  for (;;) {
    Order next;
    const ssize_t size = ::read(orders, &next, sizeof(next));
    if (size == sizeof(next)) {
      order = next;
    } else if (size == 0 || (size < 0 && errno != EINTR)) {
      break;
    }
  }
  if (!order.armed) {
    ::_exit(0);
  }
  // A shell may have taken the terminal back already and set its own modes: leave those.
  termios now{};
  if (::tcgetattr(STDOUT_FILENO, &now) == 0 && same_modes(now, order.during)) {
    ::tcflow(STDOUT_FILENO, TCOOFF);  // TCOON after Ctrl-S needs this first
    ::tcflow(STDOUT_FILENO, TCOON);
    ::tcsetattr(STDOUT_FILENO, TCSANOW, &order.before);
  }
  write_all(STDOUT_FILENO, order.restore.data(), order.restore_size);
  std::array<char, 1024> text{};
  for (ssize_t size = 0; (size = ::read(caught, text.data(), text.size())) > 0;) {
    write_all(STDERR_FILENO, text.data(), static_cast<std::size_t>(size));
  }
  constexpr std::string_view kNote =
      "\r\npowertrace: ended without warning; the terminal is as it was before\r\n";
  write_all(STDERR_FILENO, kNote.data(), kNote.size());
  ::_exit(0);
}

Status make_pipe(UniqueFd& read, UniqueFd& write, int flags) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | flags) != 0) {
    return fail_errno(errno, "cannot create a pipe");
  }
  read.reset(ends[0]);
  write.reset(ends[1]);
  return {};
}

}  // namespace

Result<TerminalGuard> TerminalGuard::start() {
  TerminalGuard guard;
  UniqueFd orders;
  PT_TRY(make_pipe(orders, guard.orders_, 0));
  // Not blocking: a full pipe costs messages, not measurements.
  PT_TRY(make_pipe(guard.stderr_read_, guard.stderr_write_, O_NONBLOCK));
  const pid_t child = ::fork();
  if (child < 0) {
    return fail_errno(errno, "cannot start the process that guards the terminal");
  }
  if (child == 0) {
    guard.orders_.reset();
    guard.stderr_write_.reset();
    watch(orders.get(), guard.stderr_read_.get());
  }
  guard.child_ = child;
  return guard;
}

TerminalGuard::TerminalGuard(TerminalGuard&& other) noexcept
    : child_(std::exchange(other.child_, -1)),
      armed_(other.armed_),
      orders_(std::move(other.orders_)),
      stderr_read_(std::move(other.stderr_read_)),
      stderr_write_(std::move(other.stderr_write_)),
      stderr_saved_(std::move(other.stderr_saved_)),
      kept_(std::move(other.kept_)) {}

TerminalGuard::~TerminalGuard() {
  if (child_ < 0) {
    return;
  }
  release_stderr();
  orders_.reset();
  if (armed_) {
    return;  // it writes to a terminal that is stuck: that must not hold us
  }
  while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void TerminalGuard::arm(const termios& before, const termios& during, std::string_view restore) {
  Order order;
  order.armed = true;
  armed_ = true;
  order.before = before;
  order.during = during;
  order.restore_size = std::min(restore.size(), order.restore.size());
  std::copy_n(restore.begin(), order.restore_size, order.restore.begin());
  write_all(orders_.get(), reinterpret_cast<const char*>(&order), sizeof(order));
  if (!stderr_saved_.valid() && ::isatty(STDERR_FILENO) == 1) {
    stderr_saved_.reset(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
    if (stderr_saved_.valid()) {
      ::dup2(stderr_write_.get(), STDERR_FILENO);
    }
  }
}

void TerminalGuard::disarm() {
  armed_ = false;
  const Order order;
  write_all(orders_.get(), reinterpret_cast<const char*>(&order), sizeof(order));
  release_stderr();
}

void TerminalGuard::release_stderr() {
  if (!stderr_saved_.valid()) {
    return;
  }
  caught();
  ::dup2(stderr_saved_.get(), STDERR_FILENO);
  stderr_saved_.reset();
  write_all(STDERR_FILENO, kept_.data(), kept_.size());
  kept_.clear();
}

std::string TerminalGuard::caught() {
  const std::size_t before = kept_.size();
  std::array<char, 1024> text{};
  for (ssize_t size = 0; (size = ::read(stderr_read_.get(), text.data(), text.size())) > 0;) {
    kept_.append(text.data(), static_cast<std::size_t>(size));
  }
  std::string last = kept_.substr(std::min(before, kept_.size()));
  while (!last.empty() && last.back() == '\n') {
    last.pop_back();
  }
  last.erase(0, last.rfind('\n') + 1);
  if (kept_.size() > kKeptBytes) {
    kept_.erase(0, kept_.size() - kKeptBytes);
  }
  return last;
}

}  // namespace powertrace::top
