// SPDX-License-Identifier: Apache-2.0
//
// What the self-test holds powertrace to. Pure: figures in, verdict out.
#pragma once

#include "cli/selftest/stage.hpp"
#include "render/verdicts.hpp"
#include "trace/perf_counters.hpp"

namespace powertrace {

Verdict judge_run_time(const Measured& threads);
Verdict judge_never_switching(const Measured& fifo);
Verdict judge_fork_storm(const Measured& storm);
Verdict judge_twins(const Measured& spin, const Measured& forks);
Verdict judge_cycles(const Measured& threads, const CounterSupport& support);
Verdict judge_conservation(const Balance& balance);
Verdict judge_overhead(const SelfCost& cost, double seconds);

}  // namespace powertrace
