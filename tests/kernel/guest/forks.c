// SPDX-License-Identifier: Apache-2.0
// forks SECONDS MICROSECONDS: a fork storm. One child after the other computes for MICROSECONDS of
// CPU time and exits. Prints how many there were.
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long clock_ns(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: forks SECONDS MICROSECONDS\n");
    return 2;
  }
  const long long end = clock_ns(CLOCK_MONOTONIC) + atoll(argv[1]) * 1000000000LL;
  const long long work = atoll(argv[2]) * 1000;
  int children = 0;
  while (clock_ns(CLOCK_MONOTONIC) < end) {
    const pid_t child = fork();
    if (child < 0) {
      perror("forks: fork");
      return 1;
    }
    if (child == 0) {
      while (clock_ns(CLOCK_PROCESS_CPUTIME_ID) < work) {
      }
      _exit(0);
    }
    waitpid(child, NULL, 0);
    children++;
  }
  printf("%d\n", children);
  return 0;
}
