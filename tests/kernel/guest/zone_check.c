// SPDX-License-Identifier: Apache-2.0
// zone_check FILE RANGE_UJ EPOCH_NS MILLIWATTS STEP_US SECONDS
// Reads the energy counter FILE for SECONDS and holds every reading against the formula of the
// test module: energy = MILLIWATTS * (now - EPOCH_NS), modulo RANGE_UJ + 1. The clock is read
// before and after, so there is no tolerance: a reading lies between the two predictions (less one
// step of the counter) or it is wrong. Prints readings and wraps; fails on the first wrong one.
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t read_counter(const char* path) {
  char text[32] = "";
  const int fd = open(path, O_RDONLY);
  if (fd < 0 || read(fd, text, sizeof text - 1) <= 0) {
    perror(path);
    exit(2);
  }
  close(fd);
  return strtoull(text, NULL, 10);
}

int main(int argc, char** argv) {
  if (argc != 7) {
    fprintf(stderr, "usage: zone_check FILE RANGE_UJ EPOCH_NS MILLIWATTS STEP_US SECONDS\n");
    return 2;
  }
  const uint64_t period = strtoull(argv[2], NULL, 10) + 1;
  const uint64_t epoch = strtoull(argv[3], NULL, 10);
  const uint64_t milliwatts = strtoull(argv[4], NULL, 10);
  const uint64_t step_ns = strtoull(argv[5], NULL, 10) * 1000;
  const uint64_t end = now_ns() + strtoull(argv[6], NULL, 10) * 1000000000;
  unsigned readings = 0;
  unsigned wraps = 0;
  uint64_t last = 0;
  uint64_t now = 0;
  while (now < end) {
    const uint64_t before = now_ns();
    const uint64_t reading = read_counter(argv[1]);
    now = now_ns();
    const uint64_t least = (before - epoch - step_ns) * milliwatts / 1000000;
    const uint64_t most = (now - epoch) * milliwatts / 1000000;
    // Relative to `least` the counter may have passed the wrap.
    const uint64_t above = (reading + period - least % period) % period;
    if (above > most - least + 1) {
      printf("reading %llu, predicted %llu to %llu\n", (unsigned long long)reading,
             (unsigned long long)(least % period), (unsigned long long)(most % period));
      return 1;
    }
    wraps += reading < last;
    last = reading;
    readings++;
    usleep(5000);
  }
  printf("%u readings, %u wraps\n", readings, wraps);
  return 0;
}
