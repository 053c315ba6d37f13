// SPDX-License-Identifier: Apache-2.0
// Two functions, one of which does three times the work of the other. Their blocks are long against
// the time between two samples. Prints the CPU ns that each took by its own clock.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace {

constexpr std::uint64_t kRounds = 5'000'000;

volatile std::uint64_t sink;

inline __attribute__((always_inline)) void work(std::uint64_t rounds) {
  std::uint64_t x = sink | 1U;
  for (std::uint64_t i = 0; i < rounds; i++) {
    x ^= x << 13U;
    x ^= x >> 7U;
    x ^= x << 17U;
  }
  sink = x;
}

std::uint64_t cpu_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

namespace known {

__attribute__((noinline)) void costly() {
  work(3 * kRounds);
  __asm__ volatile("");
}

__attribute__((noinline)) void cheap() {
  work(kRounds);
  __asm__ volatile("");
}

}  // namespace known

int main(int argc, char** argv) {
  const std::uint64_t turns = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 30;
  std::uint64_t took[2] = {0, 0};
  for (std::uint64_t i = 0; i < turns; i++) {
    const std::uint64_t begin = cpu_ns();
    known::costly();
    const std::uint64_t middle = cpu_ns();
    known::cheap();
    took[0] += middle - begin;
    took[1] += cpu_ns() - middle;
  }
  std::printf("%llu %llu\n", static_cast<unsigned long long>(took[0]),
              static_cast<unsigned long long>(took[1]));
  return 0;
}
