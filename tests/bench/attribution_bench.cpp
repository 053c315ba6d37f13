// SPDX-License-Identifier: Apache-2.0
//
// What one window costs: 200 tasks are a busy desktop, 10 000 a fork storm on a large server.
#include <benchmark/benchmark.h>

#include "model/ledger.hpp"
#include "unit/model/make.hpp"

namespace powertrace {
namespace {

// Two sockets with package and dram each; one task in `uncounted_every` without a counter reading.
Window busy_window(std::int64_t tasks, std::uint32_t uncounted_every) {
  Window window;
  window.end_ns = 10'000'000;
  window.sockets = {{320'000'000, 1000}, {320'000'000, 0}};
  for (std::uint32_t pid = 1; pid <= tasks; ++pid) {
    TaskUse use = test::task(pid, 20'000 + pid * 7919ULL % 100'000, pid % 40);
    use.comm = test::comm("worker-" + std::to_string(pid % 60));
    use.socket = static_cast<std::int32_t>(pid % 2);
    if (pid % uncounted_every != 0) {
      use = test::counted(use, use.run_ns / 2, use.run_ns * (1 + pid % 3), use.run_ns);
    }
    window.tasks.push_back(use);
  }
  window.zones.assign(4, test::joules(0.8, 10'000'000));
  return window;
}

const std::vector<Zone> bench_zones{test::zone("package-0", 0), test::zone("dram-0", 0),
                                    test::zone("package-1", 1), test::zone("dram-1", 1)};
const std::vector<std::optional<std::int64_t>> bench_idle_mw(4, 20'000);

void bm_attribute(benchmark::State& state, Model model, IdlePolicy idle) {
  const Window window = busy_window(state.range(0), 4);
  for (auto _ : state) {
    benchmark::DoNotOptimize(attribute(window, bench_zones, bench_idle_mw, {model, idle}));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void bm_ledger_add(benchmark::State& state) {
  const Window window = busy_window(state.range(0), 4);
  const Attribution attribution = attribute(window, bench_zones, bench_idle_mw, {});
  Ledger ledger(bench_zones.size());
  for (auto _ : state) {
    ledger.add(window, attribution, bench_zones);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

BENCHMARK_CAPTURE(bm_attribute, time_separate, Model::kTime, IdlePolicy::kSeparate)
    ->Arg(200)
    ->Arg(10'000);
BENCHMARK_CAPTURE(bm_attribute, cycles_separate, Model::kCycles, IdlePolicy::kSeparate)
    ->Arg(200)
    ->Arg(10'000);
BENCHMARK_CAPTURE(bm_attribute, cycles_even, Model::kCycles, IdlePolicy::kEven)
    ->Arg(200)
    ->Arg(10'000);
BENCHMARK(bm_ledger_add)->Arg(200)->Arg(10'000);

}  // namespace
}  // namespace powertrace

BENCHMARK_MAIN();
