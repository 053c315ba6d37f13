// SPDX-License-Identifier: Apache-2.0
//
// read() runs in the loop at every window edge: it must not allocate, whatever state a zone is in.
#include <cstdlib>
#include <new>

#include <doctest/doctest.h>

#include "energy/powercap.hpp"
#include "energy/synthetic.hpp"
#include "support/fake_cpus.hpp"
#include "support/fake_powercap.hpp"

namespace {

thread_local std::size_t allocations = 0;

}  // namespace

// Not inlined: GCC would see free() meet operator new and warn.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) {
    return memory;
  }
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t /*size*/) noexcept {
  std::free(memory);
}

namespace powertrace {
namespace {

std::uint64_t test_now_ns = 0;
std::uint64_t test_clock() {
  return test_now_ns += 2'000'000'000;
}

std::size_t allocations_of_read(EnergySource& source, std::span<ZoneDelta> deltas) {
  const std::size_t before = allocations;
  source.read(deltas);
  return allocations - before;
}

}  // namespace

TEST_CASE("energy: reading does not allocate") {
  test::FakePowercap tree;
  tree.add_two_sockets();
  auto powercap = PowercapSource::open(tree.root(), test_clock);
  REQUIRE(powercap.has_value());
  std::vector<ZoneDelta> deltas((*powercap)->zones().size());
  CHECK(allocations_of_read(**powercap, deltas) == 0);
  tree.make_garbage("intel-rapl:0:2", "x");
  tree.vanish("intel-rapl:1");
  CHECK(allocations_of_read(**powercap, deltas) == 0);
  CHECK(allocations_of_read(**powercap, deltas) == 0);
  tree.reappear("intel-rapl:1");
  CHECK(allocations_of_read(**powercap, deltas) == 0);

  const test::FakeCpus cpus({0, 0, 1, 1});
  auto synthetic = SyntheticSource::open(cpus.root(), *parse_synthetic("curve=seed"), test_clock);
  REQUIRE(synthetic.has_value());
  CHECK(allocations_of_read(**synthetic, deltas) == 0);
  CHECK(allocations_of_read(**synthetic, deltas) == 0);
}

}  // namespace powertrace
