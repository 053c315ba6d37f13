// SPDX-License-Identifier: Apache-2.0
#include "capping/guardian.hpp"

#include <cerrno>
#include <csignal>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/log.hpp"
#include "capping/restore.hpp"

namespace powertrace {
namespace {

constexpr char kAlive = '.';
constexpr char kDone = 'q';
constexpr int kGuardianWaitMs = 5000;

// True if the controller said that it has restored; false if it died or hangs.
bool wait_for_end(int pipe, int lease_ms) {
  while (true) {
    pollfd ready{pipe, POLLIN, 0};
    const int found = ::poll(&ready, 1, lease_ms);
    if (found < 0 && errno == EINTR) {
      continue;
    }
    if (found <= 0) {
      return false;
    }
    char word = 0;
    const ssize_t got = ::read(pipe, &word, 1);
    if (got <= 0 || word == kDone) {
      return got > 0;
    }
  }
}

void end_hanging(pid_t controller) {
  // Its pid cannot have been reused as long as it is our parent.
  if (::getppid() == controller) {
    log_error("the controller (process {}) hangs: it is killed and its limits are lifted",
              controller);
    ::kill(controller, SIGKILL);
  }
}

int guard(int pipe, const StateDir& dir, const SysRoot& root, int lease_ms, pid_t controller) {
  ::prctl(PR_SET_NAME, "powertrace-grd");
  // The controller answers these; the guardian outlives it.
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT}) {
    ::signal(signal, SIG_IGN);
  }
  if (wait_for_end(pipe, lease_ms)) {
    return 0;
  }
  end_hanging(controller);
  const auto lock = dir.lock(kGuardianWaitMs);
  if (!lock) {
    log_error("guardian: {}", lock.error().message);
    return 1;
  }
  SysfsIo io;
  const auto report = restore_state(io, dir, root);
  if (!report) {
    log_error("guardian: {}", report.error().message);
    return 1;
  }
  for (const std::string& line : report->lines) {
    log_warn("guardian: {}", line);
  }
  return report->failed == 0 ? 0 : 1;
}

}  // namespace

Result<Guardian> Guardian::start(const StateDir& dir, const SysRoot& root, std::uint64_t lease_ns) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return fail_errno(errno, "cannot create a pipe for the guardian");
  }
  UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  const pid_t controller = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) {
    return fail_errno(errno, "cannot start the guardian");
  }
  if (pid == 0) {
    write_end.reset();
    constexpr std::uint64_t kNsPerMs = 1'000'000;
    ::_exit(guard(read_end.get(), dir, root, static_cast<int>(lease_ns / kNsPerMs), controller));
  }
  // A full pipe must not stop the controller, nor may a dead guardian kill it.
  ::fcntl(write_end.get(), F_SETFL, O_NONBLOCK);
  ::signal(SIGPIPE, SIG_IGN);
  return Guardian(std::move(write_end), pid);
}

Guardian::Guardian(Guardian&& other) noexcept
    : pipe_(std::move(other.pipe_)), pid_(std::exchange(other.pid_, 0)) {}

Guardian::~Guardian() {
  if (pid_ == 0) {
    return;
  }
  (void)!::write(pipe_.get(), &kDone, 1);
  pipe_.reset();
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
}

void Guardian::beat() const {
  (void)!::write(pipe_.get(), &kAlive, 1);
}

}  // namespace powertrace
