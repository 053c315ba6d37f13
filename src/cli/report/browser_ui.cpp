// SPDX-License-Identifier: Apache-2.0
#include "cli/report/browser_ui.hpp"

#include <csignal>
#include <memory>

#include <unistd.h>

#include "base/event_loop.hpp"
#include "cli/exit_code.hpp"
#include "cli/top/screen.hpp"

namespace powertrace::browse {

Result<int> run_browser(top::TerminalGuard& guard, Browser& browser) {
  PT_ASSIGN(EventLoop loop, EventLoop::create());
  int code = kExitOk;
  std::unique_ptr<top::Screen> screen;
  const auto draw = [&] { screen->draw(browser.render(screen->size())); };
  // Blocked before the screen is up, so that none of them leaves it up.
  PT_TRY(loop.add_signals({SIGWINCH, SIGTSTP, SIGINT, SIGTERM, SIGHUP}, [&](int signal) {
    if (signal == SIGTSTP) {
      screen->suspend();
    } else if (signal == SIGWINCH) {
      screen->resize();
    } else {
      code = kExitInterrupted;
      loop.stop();
      return;
    }
    draw();
  }));
  PT_ASSIGN(screen, top::Screen::open(guard));
  PT_TRY(loop.add_fd(STDIN_FILENO, [&] {
    if (top::Screen::closed()) {
      code = kExitInterrupted;
      loop.stop();
      return;
    }
    while (const auto key = screen->read_key()) {
      if (key->code == top::KeyCode::kRedraw) {
        screen->redraw();
      } else if (!browser.press(*key, screen->size())) {
        loop.stop();
        return;
      }
    }
    draw();
  }));
  draw();
  const Status status = loop.run();
  screen.reset();
  guard.disarm();
  PT_TRY(status);
  return code;
}

}  // namespace powertrace::browse
