// SPDX-License-Identifier: Apache-2.0
// perf_count TYPE CONFIG CPU MILLISECONDS [sample]: opens one perf event (CPU -1: this process, on
// every CPU), keeps one CPU busy meanwhile, prints the count, the time the event was enabled (ns)
// and the process' own CPU time (ns). Status 1 and the errno on stdout if it cannot be opened.
#include <errno.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static uint64_t clock_ns(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

int main(int argc, char** argv) {
  if (argc < 5) {
    fprintf(stderr, "usage: perf_count TYPE CONFIG CPU MILLISECONDS [sample]\n");
    return 2;
  }
  struct perf_event_attr attr;
  memset(&attr, 0, sizeof attr);
  attr.size = sizeof attr;
  attr.type = (uint32_t)strtoul(argv[1], NULL, 0);
  attr.config = strtoull(argv[2], NULL, 0);
  attr.disabled = 1;
  attr.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED;
  if (argc > 5) {
    attr.freq = 1;
    attr.sample_freq = 99;
  }
  const int cpu = atoi(argv[3]);
  const int fd = (int)syscall(SYS_perf_event_open, &attr, cpu < 0 ? 0 : -1, cpu, -1, 0);
  if (fd < 0) {
    printf("errno %d\n", errno);
    return 1;
  }
  const uint64_t cpu_before = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
  const uint64_t end = clock_ns(CLOCK_MONOTONIC) + strtoull(argv[4], NULL, 10) * 1000000;
  while (clock_ns(CLOCK_MONOTONIC) < end) {
  }
  ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
  const uint64_t cpu_time = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_before;
  uint64_t values[2];
  if (read(fd, values, sizeof values) != sizeof values) {
    printf("errno %d\n", errno);
    return 1;
  }
  printf("%llu %llu %llu\n", (unsigned long long)values[0], (unsigned long long)values[1],
         (unsigned long long)cpu_time);
  return 0;
}
