// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>

#include "cli/command_line.hpp"
#include "cli/exit_code.hpp"

int main(int argc, char** argv) {
  using namespace powertrace;
  // A reader that goes away shows as EPIPE where we write. A handler and not SIG_IGN, because
  // exec() takes handlers away: a command that we run finds SIGPIPE as it was.
  if (std::signal(SIGPIPE, [](int) {}) == SIG_IGN) {
    std::signal(SIGPIPE, SIG_IGN);
  }
  try {
    const Result<int> result = run_command_line(argc, argv);
    if (result) {
      return *result;
    }
    std::fprintf(stderr, "powertrace: %s\n", result.error().message.c_str());
    return exit_code(result.error().code);
  } catch (const std::bad_alloc&) {
    std::fputs("powertrace: out of memory\n", stderr);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "powertrace: internal error: %s; please report this\n", error.what());
  }
  return kExitFailed;
}
