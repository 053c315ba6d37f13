// SPDX-License-Identifier: Apache-2.0
// vmexit N: ends the virtual machine; QEMU's exit status is then ((N + 16) << 1) | 1 on every
// architecture. Never 0 or 1, which QEMU itself returns when the guest shuts down or panics and
// when QEMU cannot start it: only a guest that got here has reported.
#include <stdio.h>
#include <stdlib.h>

#if defined(__x86_64__)
#include <sys/io.h>

// The isa-debug-exit device computes (value << 1) | 1 itself.
static void leave(int value) {
  if (ioperm(0xf4, 4, 1) == 0) {
    outl(value, 0xf4);
  }
  perror("vmexit: ioperm");
}
#elif defined(__aarch64__)
// Semihosting SYS_EXIT_EXTENDED, allowed for user space by -semihosting-config userspace=on.
static void leave(int value) {
  const unsigned long application_exit = 0x20026;
  unsigned long block[2] = {application_exit, ((unsigned long)value << 1) | 1};
  register unsigned long operation __asm__("x0") = 0x20;
  register unsigned long argument __asm__("x1") = (unsigned long)block;
  __asm__ volatile("hlt #0xf000" : "+r"(operation) : "r"(argument) : "memory");
}
#endif

int main(int argc, char** argv) {
  leave((argc > 1 ? atoi(argv[1]) : 0) + 16);
  return 1;
}
