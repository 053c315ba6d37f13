// SPDX-License-Identifier: Apache-2.0
//
// The terminal: draws frames, reads keys. The only user of ncurses, which compares each frame with
// what is on the terminal and sends the difference. One thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "cli/top/canvas.hpp"
#include "cli/top/terminal_guard.hpp"
#include "cli/top/top_model.hpp"

namespace powertrace::top {

// Why standard input and output do not make a screen; nullopt if they do.
std::optional<std::string> screen_problem();

// Sets LC_CTYPE from the environment. False: its characters are not UTF-8.
bool use_terminal_locale();

class Screen {
 public:
  // Takes the terminal over and arms the guard, which outlives the screen. The destructor gives
  // the terminal back; then whoever owns the guard disarms it.
  static Result<std::unique_ptr<Screen>> open(TerminalGuard& guard);
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen();

  [[nodiscard]] Size size() const { return size_; }
  // After SIGWINCH: asks the terminal for its size.
  void resize();
  void draw(const Frame& frame);
  // Sends everything with the next frame, in case something else wrote to the terminal.
  void redraw();

  // The next key that was typed; nullopt: none for now.
  std::optional<Key> read_key();
  // Nobody is at the other end any more.
  [[nodiscard]] static bool closed();

  // Gives the terminal back, stops the process as the terminal's Ctrl-Z does, and takes the
  // terminal again when the process goes on.
  void suspend();

 private:
  explicit Screen(TerminalGuard& guard);
  void set_styles();
  void arm();

  struct Impl;
  TerminalGuard& guard_;
  std::unique_ptr<Impl> impl_;
  Size size_;
};

}  // namespace powertrace::top
