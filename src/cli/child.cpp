// SPDX-License-Identifier: Apache-2.0
#include "cli/child.hpp"

#include <array>
#include <cerrno>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <utility>

#include <unistd.h>

namespace powertrace {
namespace {

constexpr int kNotFound = 127;
constexpr int kNotExecutable = 126;
constexpr int kSignalBase = 128;

std::uint64_t to_ns(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(time.tv_usec) * 1'000U;
}

[[noreturn]] void become(char* const* argv, const sigset_t& mask, int gate) {
  char go = 0;
  ssize_t got = 0;
  do {
    got = ::read(gate, &go, 1);
  } while (got < 0 && errno == EINTR);
  if (got != 1) {
    ::_exit(kNotExecutable);  // never released
  }
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  ::execvp(argv[0], argv);
  const int error = errno;
  // If this fails there is nobody left to tell.
  [[maybe_unused]] const ssize_t told = ::write(gate, &error, sizeof(error));
  ::_exit(error == ENOENT || error == ENOTDIR ? kNotFound : kNotExecutable);
}

}  // namespace

Result<Child> Child::spawn(const std::vector<std::string>& args, const sigset_t& mask) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return fail_errno(errno, "cannot create a socket pair");
  }
  UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  std::vector<char*> argv;
  for (const std::string& arg : args) {
    argv.push_back(const_cast<char*>(arg.c_str()));
  }
  argv.push_back(nullptr);

  const pid_t pid = ::fork();
  if (pid < 0) {
    return fail_errno(errno, "cannot start a process");
  }
  if (pid == 0) {
    ours.reset();  // or the gate would never look closed
    become(argv.data(), mask, theirs.get());
  }
  Child child(pid, std::move(ours));
  child.pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!child.pidfd_.valid()) {
    return fail_errno(errno, "cannot watch the process that was started");
  }
  return child;
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      gate_(std::move(other.gate_)),
      released_(other.released_) {}

Child::~Child() {
  if (pid_ > 0 && !released_) {
    gate_.reset();
    ::waitpid(pid_, nullptr, 0);
  }
}

Status Child::release() {
  const char go = 1;
  if (::send(gate_.get(), &go, 1, MSG_NOSIGNAL) != 1) {
    return fail_errno(errno, "cannot release the command");
  }
  released_ = true;
  return {};
}

void Child::send(int signal) const {
  if (pid_ > 0) {
    ::kill(pid_, signal);  // not waited for, so the pid is its own
  }
}

Result<ChildEnd> Child::wait() {
  int status = 0;
  rusage usage{};
  pid_t got = -1;
  do {
    got = ::wait4(pid_, &status, 0, &usage);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    return fail_errno(errno, "cannot wait for the command");
  }
  pid_ = -1;
  ChildEnd end;
  if (::recv(gate_.get(), &end.exec_errno, sizeof(end.exec_errno), MSG_DONTWAIT) !=
      sizeof(end.exec_errno)) {
    end.exec_errno = 0;
  }
  end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  end.exit_status = end.signal != 0 ? kSignalBase + end.signal : WEXITSTATUS(status);
  end.user_ns = to_ns(usage.ru_utime);
  end.system_ns = to_ns(usage.ru_stime);
  return end;
}

}  // namespace powertrace
