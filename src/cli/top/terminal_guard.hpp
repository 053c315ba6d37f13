// SPDX-License-Identifier: Apache-2.0
//
// Gives the terminal back whatever happens to the program. A small child process waits at a pipe;
// if powertrace dies with the screen up (a crash, kill -9, out of memory), the pipe closes and the
// child restores the modes and leaves the alternate screen. While the screen is up, what is written
// to stderr is caught, so that it cannot spoil the picture, and printed afterwards.
#pragma once

#include <string>
#include <string_view>
#include <sys/types.h>

#include <termios.h>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace powertrace::top {

class TerminalGuard {
 public:
  // Forks, so: before there are threads, and before anything that must not outlive powertrace.
  static Result<TerminalGuard> start();

  TerminalGuard(TerminalGuard&& other) noexcept;
  TerminalGuard& operator=(TerminalGuard&&) = delete;
  TerminalGuard(const TerminalGuard&) = delete;
  TerminalGuard& operator=(const TerminalGuard&) = delete;
  // Lets the child go; it restores the terminal if arm() was not followed by disarm().
  ~TerminalGuard();

  // The screen is up: `before` are the modes to go back to if they are still `during`, `restore`
  // what to send to the terminal.
  void arm(const termios& before, const termios& during, std::string_view restore);
  // The screen is down; prints what was caught.
  void disarm();

  // The last line written to stderr since the last call; empty: nothing.
  std::string caught();

 private:
  TerminalGuard() = default;
  void release_stderr();

  pid_t child_ = -1;
  bool armed_ = false;
  UniqueFd orders_;
  UniqueFd stderr_read_;
  UniqueFd stderr_write_;
  UniqueFd stderr_saved_;  // valid while stderr is caught
  std::string kept_;       // caught text, to be printed in the end
};

}  // namespace powertrace::top
