// SPDX-License-Identifier: Apache-2.0
#include "cli/top/screen.hpp"

#include <algorithm>
#include <array>
#include <clocale>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <string_view>
#include <sys/ioctl.h>

#include <langinfo.h>
#include <poll.h>
#include <termios.h>

#define NCURSES_NOMACROS 1
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <term.h>
#include <unistd.h>
// Macros of term.h for fields of the terminal's description.
#undef columns
#undef lines

#include "render/text.hpp"

namespace powertrace::top {
namespace {

struct Look {
  short basic;  // of 8 colours; -1: the terminal's own
  short rich;   // of 256
  attr_t attributes;
  attr_t plain;  // without colours
};

// By Style.
constexpr std::array<Look, kStyles> kLooks{{
    {-1, -1, A_NORMAL, A_NORMAL},                                 // kNormal
    {-1, -1, A_DIM, A_DIM},                                       // kDim
    {-1, -1, A_BOLD, A_BOLD},                                     // kStrong
    {COLOR_CYAN, 73, A_NORMAL, A_NORMAL},                         // kLabel
    {COLOR_YELLOW, 220, A_REVERSE | A_BOLD, A_REVERSE | A_BOLD},  // kEstimate
    {COLOR_GREEN, 71, A_NORMAL, A_NORMAL},                        // kGood
    {COLOR_YELLOW, 220, A_NORMAL, A_BOLD},                        // kWarning
    {COLOR_RED, 196, A_REVERSE | A_BOLD, A_REVERSE | A_BOLD},     // kBad
    {COLOR_GREEN, 71, A_REVERSE, A_REVERSE},                      // kHeading
    {COLOR_CYAN, 80, A_REVERSE | A_BOLD, A_REVERSE | A_BOLD},     // kSortedHead
    {COLOR_CYAN, 80, A_REVERSE, A_REVERSE},                       // kSelected
    {-1, -1, A_NORMAL, A_NORMAL},                                 // kTab
    {COLOR_GREEN, 71, A_REVERSE | A_BOLD, A_REVERSE},             // kActiveTab
    {COLOR_CYAN, 80, A_BOLD, A_BOLD},                             // kKey
    {-1, -1, A_DIM, A_DIM},                                       // kBranch
    {COLOR_GREEN, 71, A_NORMAL, A_NORMAL},                        // kHeat0
    {COLOR_GREEN, 107, A_NORMAL, A_NORMAL},                       // kHeat1
    {COLOR_YELLOW, 179, A_NORMAL, A_NORMAL},                      // kHeat2
    {COLOR_YELLOW, 214, A_NORMAL, A_NORMAL},                      // kHeat3
    {COLOR_RED, 208, A_NORMAL, A_NORMAL},                         // kHeat4
    {COLOR_RED, 203, A_NORMAL, A_NORMAL},                         // kHeat5
}};

// terminfo says "not a string" by a pointer that is -1.
bool has(const char* capability) {
  return capability != nullptr && reinterpret_cast<std::intptr_t>(capability) != -1;
}

std::string* collected = nullptr;  // tputs() takes a plain function
int collect(int c) {
  *collected += static_cast<char>(c);
  return c;
}

// What sends the terminal back to where it was, padding resolved.
std::string restore_sequence() {
  std::string sequence;
  collected = &sequence;
  for (const char* name : {"sgr0", "op", "rmkx", "cnorm", "rmcup"}) {
    const char* capability = ::tigetstr(name);
    if (has(capability)) {
      ::tputs(capability, 1, collect);
    }
  }
  collected = nullptr;
  return sequence;
}

Key special_key(wint_t code) {
  switch (code) {
    case KEY_UP:
      return {KeyCode::kUp, 0};
    case KEY_DOWN:
      return {KeyCode::kDown, 0};
    case KEY_LEFT:
      return {KeyCode::kLeft, 0};
    case KEY_RIGHT:
      return {KeyCode::kRight, 0};
    case KEY_PPAGE:
      return {KeyCode::kPageUp, 0};
    case KEY_NPAGE:
      return {KeyCode::kPageDown, 0};
    case KEY_HOME:
      return {KeyCode::kHome, 0};
    case KEY_END:
      return {KeyCode::kEnd, 0};
    case KEY_ENTER:
      return {KeyCode::kEnter, 0};
    case KEY_BACKSPACE:
      return {KeyCode::kBackspace, 0};
    case KEY_BTAB:
      return {KeyCode::kBackTab, 0};
    case KEY_F(1):
      return {KeyCode::kHelp, 0};
    default:
      return {KeyCode::kOther, 0};
  }
}

Key plain_key(wint_t character) {
  switch (character) {
    case '\r':
    case '\n':
      return {KeyCode::kEnter, 0};
    case '\t':
      return {KeyCode::kTab, 0};
    case 0x1B:
      return {KeyCode::kEscape, 0};
    case 0x08:
    case 0x7F:
      return {KeyCode::kBackspace, 0};
    case 0x0C:  // Ctrl-L
      return {KeyCode::kRedraw, 0};
    default:
      return character < 0x20 ? Key{KeyCode::kOther, 0}
                              : Key{KeyCode::kCharacter, static_cast<char32_t>(character)};
  }
}

std::wstring to_wide(std::string_view text) {
  std::wstring wide;
  for (std::size_t at = 0; at < text.size();) {
    wide += static_cast<wchar_t>(next_char(text, at));
  }
  return wide;
}

}  // namespace

struct Screen::Impl {
  SCREEN* screen = nullptr;
  termios before{};
  std::string restore;
  std::array<attr_t, kStyles> attributes{};
  std::array<short, kStyles> pairs{};
};

Screen::Screen(TerminalGuard& guard) : guard_(guard) {}

std::optional<std::string> screen_problem() {
  if (::isatty(STDIN_FILENO) != 1) {
    return "standard input is not a terminal";
  }
  const char* term = std::getenv("TERM");
  int error = 0;
  if (::setupterm(nullptr, STDOUT_FILENO, &error) != OK) {
    return std::string("the terminal type ") +
           (term != nullptr && *term != '\0' ? term : "(none)") + " is unknown";
  }
  const char* move = ::tigetstr("cup");
  const bool can_move = has(move);
  ::del_curterm(cur_term);
  if (!can_move) {
    return std::string("a terminal of type ") + (term != nullptr ? term : "?") +
           " cannot move its cursor";
  }
  return std::nullopt;
}

bool use_terminal_locale() {
  std::setlocale(LC_CTYPE, "");
  return std::strcmp(::nl_langinfo(CODESET), "UTF-8") == 0;
}

Result<std::unique_ptr<Screen>> Screen::open(TerminalGuard& guard) {
  std::unique_ptr<Screen> screen(new Screen(guard));
  screen->impl_ = std::make_unique<Impl>();
  Impl& impl = *screen->impl_;
  if (::tcgetattr(STDIN_FILENO, &impl.before) != 0) {
    return fail_errno(errno, "cannot read the modes of the terminal");
  }
  impl.screen = ::newterm(nullptr, stdout, stdin);
  if (impl.screen == nullptr) {
    return fail(ErrorCode::kIo, "cannot set up the terminal; use --batch");
  }
  // ncurses has set handlers that would draw and exit on their own; the event loops get these.
  for (const int signal : {SIGINT, SIGTERM, SIGTSTP, SIGWINCH}) {
    std::signal(signal, SIG_DFL);
  }
  ::cbreak();
  ::noecho();
  ::nonl();
  ::nodelay(stdscr, TRUE);
  ::keypad(stdscr, TRUE);
  ::set_escdelay(25);
  ::curs_set(0);
  screen->set_styles();
  impl.restore = restore_sequence();
  screen->arm();
  screen->resize();
  return screen;
}

Screen::~Screen() {
  if (impl_->screen != nullptr) {
    ::endwin();
    ::delscreen(impl_->screen);
  }
}

void Screen::set_styles() {
  const char* no_color = std::getenv("NO_COLOR");
  const bool wanted = no_color == nullptr || *no_color == '\0';
  const bool colors = wanted && ::has_colors() && ::start_color() == OK && COLORS >= 8;
  const bool own = colors && ::use_default_colors() == OK;
  for (std::size_t i = 0; i < kStyles; ++i) {
    const Look& look = kLooks[i];
    impl_->attributes[i] = colors ? look.attributes : look.plain;
    impl_->pairs[i] = 0;
    if (colors && look.basic >= 0) {
      const auto pair = static_cast<short>(i + 1);
      // Reversed text needs a definite background to stand on.
      const bool reversed = (look.attributes & A_REVERSE) != 0;
      const short color = COLORS >= 256 ? look.rich : look.basic;
      const short base =
          own && !reversed ? static_cast<short>(-1) : static_cast<short>(COLOR_BLACK);
      ::init_pair(pair, color, base);
      impl_->pairs[i] = pair;
    }
  }
}

void Screen::arm() {
  termios during{};
  ::tcgetattr(STDIN_FILENO, &during);
  guard_.arm(impl_->before, during, impl_->restore);
}

void Screen::resize() {
  winsize window{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_row > 0 && window.ws_col > 0) {
    ::resizeterm(window.ws_row, window.ws_col);
  }
  size_.columns = static_cast<std::size_t>(std::max(getmaxx(stdscr), 1));
  size_.rows = static_cast<std::size_t>(std::max(getmaxy(stdscr), 1));
}

void Screen::draw(const Frame& frame) {
  ::werase(stdscr);
  for (std::size_t y = 0; y < std::min(frame.lines.size(), size_.rows); ++y) {
    ::wmove(stdscr, static_cast<int>(y), 0);
    for (const Span& span : frame.lines[y].spans()) {
      const auto style = static_cast<std::size_t>(span.style);
      ::wattr_set(stdscr, impl_->attributes[style], impl_->pairs[style], nullptr);
      const std::wstring wide = to_wide(span.text);
      ::waddnwstr(stdscr, wide.data(), static_cast<int>(wide.size()));
    }
  }
  ::wattr_set(stdscr, A_NORMAL, 0, nullptr);
  if (frame.cursor) {
    ::wmove(stdscr, static_cast<int>(frame.cursor->row), static_cast<int>(frame.cursor->column));
  }
  ::curs_set(frame.cursor ? 1 : 0);
  ::wrefresh(stdscr);
}

void Screen::redraw() {
  ::clearok(curscr, TRUE);
}

std::optional<Key> Screen::read_key() {
  wint_t code = 0;
  switch (::wget_wch(stdscr, &code)) {
    case OK:
      return plain_key(code);
    case KEY_CODE_YES:
      return special_key(code);
    default:
      return std::nullopt;
  }
}

bool Screen::closed() {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  if (::poll(&input, 1, 0) < 0) {
    return false;
  }
  if ((input.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) {
    return true;
  }
  // Readable, but nothing to read: the end of the file.
  int waiting = 0;
  return (input.revents & POLLIN) != 0 &&
         (::ioctl(STDIN_FILENO, FIONREAD, &waiting) != 0 || waiting == 0);
}

void Screen::suspend() {
  ::endwin();
  guard_.disarm();
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTSTP);
  // Not SIGSTOP: the kernel lets SIGTSTP pass where no shell could ever continue us.
  ::kill(::getpid(), SIGTSTP);
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::tcgetattr(STDIN_FILENO, &impl_->before);  // the shell may have changed them meanwhile
  ::wrefresh(stdscr);
  arm();
  resize();
  redraw();
}

}  // namespace powertrace::top
