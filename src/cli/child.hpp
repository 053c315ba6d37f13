// SPDX-License-Identifier: Apache-2.0
//
// A command that is started in two steps, so that measuring can begin right before it runs: spawn()
// forks, release() lets it become the program. It inherits the standard descriptors, the
// environment, the working directory and the privileges; nothing of ours reaches it.
#pragma once

#include <csignal>
#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace powertrace {

struct ChildEnd {
  int exit_status = 0;  // as a shell gives it: 128 + signal; 127 not found; 126 not executable
  int signal = 0;       // that ended it; 0: it ended by itself
  int exec_errno = 0;   // not 0: the program could not be run at all
  std::uint64_t user_ns = 0;  // of the command and the children it waited for
  std::uint64_t system_ns = 0;
};

class Child {
 public:
  // `args` is the program, found as a shell does, and its arguments. `mask` is the signal mask it
  // shall have.
  static Result<Child> spawn(const std::vector<std::string>& args, const sigset_t& mask);
  Child(const Child&) = delete;
  Child(Child&&) noexcept;
  Child& operator=(const Child&) = delete;
  Child& operator=(Child&&) = delete;
  // Of a child that was never released, nothing remains; one that runs is left alone.
  ~Child();

  Status release();
  // Readable once it has ended.
  [[nodiscard]] int end_fd() const { return pidfd_.get(); }
  [[nodiscard]] pid_t pid() const { return pid_; }
  // Nothing happens if it has ended already.
  void send(int signal) const;
  // Waits for its end.
  Result<ChildEnd> wait();

 private:
  Child(pid_t pid, UniqueFd gate) : pid_(pid), gate_(std::move(gate)) {}

  pid_t pid_ = -1;  // -1: somebody else's, or waited for
  UniqueFd pidfd_;
  // One byte in: go. Out: the errno of a failed exec(), or the end of the stream if it worked.
  UniqueFd gate_;
  bool released_ = false;
};

}  // namespace powertrace
