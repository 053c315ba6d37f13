// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "cli/selftest/checks.hpp"
#include "support/units.hpp"

using namespace powertrace;

namespace {

using powertrace::test::kSecond;

Measured load(std::uint64_t seen_ns, std::uint64_t real_ns) {
  Measured measured;
  measured.run.run_ns = seen_ns;
  measured.run.threads = 5;
  measured.run.processes = 1501;
  measured.cpu_ns = real_ns;
  measured.named_ns = seen_ns;
  measured.windows = 10;
  return measured;
}

}  // namespace

TEST_CASE("selftest: run time may be one percent off, either way") {
  CHECK(judge_run_time(load(kSecond, kSecond)).status == VerdictStatus::kOk);
  CHECK(judge_run_time(load(992'000'000, kSecond)).status == VerdictStatus::kOk);
  CHECK(judge_run_time(load(988'000'000, kSecond)).status == VerdictStatus::kFailed);
  CHECK(judge_run_time(load(1'012'000'000, kSecond)).status == VerdictStatus::kFailed);
  CHECK(judge_run_time(load(0, 0)).status == VerdictStatus::kFailed);
}

TEST_CASE("selftest: a task that keeps its CPU is in every window") {
  Measured fifo = load(kSecond, kSecond);
  CHECK(judge_never_switching(fifo).status == VerdictStatus::kOk);
  fifo.windows_without = 1;
  CHECK(judge_never_switching(fifo).status == VerdictStatus::kFailed);
  fifo.windows_without = 0;
  fifo.windows = 2;  // one slice at the end, as a tool without flushes would show it
  CHECK(judge_never_switching(fifo).status == VerdictStatus::kFailed);
}

TEST_CASE("selftest: a storm's time must be in rows of its name") {
  Measured storm = load(kSecond, kSecond);
  CHECK(judge_fork_storm(storm).status == VerdictStatus::kOk);
  storm.named_ns = 980'000'000;
  CHECK(judge_fork_storm(storm).status == VerdictStatus::kFailed);
  storm.named_ns = 3 * kSecond;  // somebody else's do not make up for its own
  storm.run.run_ns = 900'000'000;
  CHECK(judge_fork_storm(storm).status == VerdictStatus::kFailed);
}

TEST_CASE("selftest: twins get the same energy for the same time") {
  Measured spin = load(kSecond, kSecond);
  Measured forks = load(kSecond, kSecond);
  CHECK(judge_twins(spin, forks).status == VerdictStatus::kFailed);  // no energy at all
  spin.run.command.nj = 10 * static_cast<std::int64_t>(kSecond);
  forks.run.command.nj = 10 * static_cast<std::int64_t>(kSecond);
  CHECK(judge_twins(spin, forks).status == VerdictStatus::kOk);
  forks.cpu_ns = 2 * kSecond;  // half as much per second
  CHECK(judge_twins(spin, forks).status == VerdictStatus::kFailed);
}

TEST_CASE("selftest: what could not run is skipped, what went wrong is not") {
  Measured fifo = load(0, 0);
  fifo.exit_status = 3;
  CHECK(judge_never_switching(fifo).status == VerdictStatus::kSkipped);
  fifo.exit_status = 139;
  CHECK(judge_never_switching(fifo).status == VerdictStatus::kFailed);
  CounterSupport none;
  none.reason = "no PMU";
  CHECK(judge_cycles(load(kSecond, kSecond), none).status == VerdictStatus::kSkipped);
}

TEST_CASE("selftest: cycles are held to a perf event's count") {
  CounterSupport support;
  support.events = {{0, 0}};
  Measured threads = load(kSecond, kSecond);
  threads.perf_cycles = 3'000'000'000;
  threads.run.cycles = 3.1e9;
  CHECK(judge_cycles(threads, support).status == VerdictStatus::kOk);
  threads.run.cycles = 3.2e9;
  CHECK(judge_cycles(threads, support).status == VerdictStatus::kFailed);
}

TEST_CASE("selftest: one nanojoule too few, one lost slice or too much work of its own fails") {
  Balance balance;
  balance.energy_nj = 1'000'000;
  CHECK(judge_conservation(balance).status == VerdictStatus::kOk);
  balance.imbalance_nj = 1;
  CHECK(judge_conservation(balance).status == VerdictStatus::kFailed);
  balance.imbalance_nj = 0;
  balance.lost_slices = 1;
  CHECK(judge_conservation(balance).status == VerdictStatus::kFailed);
  SelfCost cost;
  cost.cpu_seconds = 0.029;
  CHECK(judge_overhead(cost, 3).status == VerdictStatus::kOk);
  cost.cpu_seconds = 0.031;
  CHECK(judge_overhead(cost, 3).status == VerdictStatus::kFailed);
}

TEST_CASE("selftest: JSON and text say the same") {
  const std::vector<Verdict> verdicts{judge_run_time(load(kSecond, kSecond)),
                                      judge_run_time(load(0, kSecond))};
  const SourceInfo source{"synthetic", false, 0.06};
  const auto json = nlohmann::json::parse(verdicts_json(verdicts, source));
  CHECK(json["status"] == "failed");
  CHECK(json["checks"][0]["status"] == "ok");
  CHECK(json["checks"][1]["status"] == "failed");
  CHECK(json["checks"][1]["value"] == 1.0);
  CHECK(verdict_line(verdicts[1], false).rfind("FAILED", 0) == 0);
  CHECK(verdict_summary(verdicts, source).rfind("1 of 2 checks FAILED", 0) == 0);
}
