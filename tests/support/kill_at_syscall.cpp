// SPDX-License-Identifier: Apache-2.0
//
// usage: kill_at_syscall MARK N COMMAND...
// Runs COMMAND and kills it with SIGKILL right after its Nth system call, counted from the first
// one whose path holds MARK. Exits 0 if it was killed, 1 if it ended before. Its children live on.
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <unistd.h>

namespace {

std::string text_at(pid_t pid, std::uint64_t address) {
  std::array<char, 256> buffer{};
  iovec local{buffer.data(), buffer.size() - 1};
  // NOLINTNEXTLINE(performance-no-int-to-ptr): another process' address
  iovec remote{reinterpret_cast<void*>(address), buffer.size() - 1};
  const ssize_t got = ::process_vm_readv(pid, &local, 1, &remote, 1, 0);
  return got > 0 ? std::string(buffer.data(), ::strnlen(buffer.data(), static_cast<size_t>(got)))
                 : "";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fputs("usage: kill_at_syscall MARK N COMMAND...\n", stderr);
    return 2;
  }
  const std::string mark = argv[1];
  const long wanted = std::atol(argv[2]);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::execv(argv[3], argv + 3);
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  ::ptrace(PTRACE_SETOPTIONS, pid, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  long counted = 0;
  bool marked = false;
  int signal = 0;
  while (::ptrace(PTRACE_SYSCALL, pid, nullptr, signal) == 0 && ::waitpid(pid, &status, 0) == pid) {
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      return 1;
    }
    signal = WSTOPSIG(status) == (SIGTRAP | 0x80) ? 0 : WSTOPSIG(status);
    if (signal != 0) {
      continue;
    }
    __ptrace_syscall_info info{};
    ::ptrace(static_cast<__ptrace_request>(PTRACE_GET_SYSCALL_INFO), pid, sizeof(info), &info);
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY && !marked && info.entry.nr == SYS_openat) {
      marked = text_at(pid, info.entry.args[1]).find(mark) != std::string::npos;
    } else if (info.op == PTRACE_SYSCALL_INFO_EXIT && marked && ++counted == wanted) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, &status, 0);
      return 0;
    }
  }
  return 1;
}
