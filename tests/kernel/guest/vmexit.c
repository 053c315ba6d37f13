// SPDX-License-Identifier: Apache-2.0
// vmexit: reads a number N and ends the virtual machine; QEMU's exit status is then
// ((N + 16) << 1) | 1 on every architecture. Never 0 or 1, which QEMU itself returns when the guest
// shuts down or panics and when QEMU cannot start it: only a guest that got here has reported. It
// waits, because a guest that has been locked down gives nobody a port any more.
#include <stdio.h>

#if defined(__x86_64__)
#include <sys/io.h>

// The isa-debug-exit device computes (value << 1) | 1 itself.
static int prepare(void) {
  return ioperm(0xf4, 4, 1);
}

static void leave(int value) {
  outl(value, 0xf4);
}
#elif defined(__aarch64__)
// Semihosting SYS_EXIT_EXTENDED, allowed for user space by -semihosting-config userspace=on.
static int prepare(void) {
  return 0;
}

static void leave(int value) {
  const unsigned long application_exit = 0x20026;
  unsigned long block[2] = {application_exit, ((unsigned long)value << 1) | 1};
  register unsigned long operation __asm__("x0") = 0x20;
  register unsigned long argument __asm__("x1") = (unsigned long)block;
  __asm__ volatile("hlt #0xf000" : "+r"(operation) : "r"(argument) : "memory");
}
#endif

int main(void) {
  int status = 0;
  if (prepare() != 0) {
    perror("vmexit: ioperm");
  } else if (scanf("%d", &status) == 1) {
    leave(status + 16);
  }
  return 1;
}
