// SPDX-License-Identifier: Apache-2.0
// spin SECONDS [CPU [PRIORITY]]: keeps a CPU busy, bound to CPU if given, and with SCHED_FIFO at
// PRIORITY if given, so that it never gives the CPU up.
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char** argv) {
  if (argc > 2) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(atoi(argv[2]), &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) {
      perror("spin: sched_setaffinity");
      return 1;
    }
  }
  if (argc > 3) {
    const struct sched_param param = {.sched_priority = atoi(argv[3])};
    if (sched_setscheduler(0, SCHED_FIFO, &param) != 0) {
      perror("spin: sched_setscheduler");
      return 1;
    }
  }
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  const time_t end = now.tv_sec + (argc > 1 ? atoi(argv[1]) : 1);
  const long end_ns = now.tv_nsec;
  while (now.tv_sec < end || (now.tv_sec == end && now.tv_nsec < end_ns)) {
    for (volatile int i = 0; i < 10000; i++) {
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
  }
  return 0;
}
