// SPDX-License-Identifier: Apache-2.0
#include "cli/selftest/checks.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/units.hpp"
#include "cli/exit_code.hpp"
#include "render/figures.hpp"

namespace powertrace {
namespace {

constexpr double kRunTimeLimit = 0.01;   // |seen / accounted - 1|
constexpr double kNamedLimit = 0.99;     // of a storm's CPU time
constexpr double kTwinLimit = 0.10;      // between the joules per CPU second of equal jobs
constexpr double kCyclesLimit = 0.05;    // against perf's own count
constexpr double kOverheadLimit = 0.01;  // of one CPU

double off(std::uint64_t seen, std::uint64_t real) {
  return real == 0 ? 1 : static_cast<double>(seen) / static_cast<double>(real) - 1;
}

VerdictStatus passed(bool ok) {
  return ok ? VerdictStatus::kOk : VerdictStatus::kFailed;
}

// A load that did not do its work proves nothing.
std::optional<Verdict> not_run(std::string_view check, const Measured& load) {
  if (load.exit_status == kExitOk) {
    return std::nullopt;
  }
  if (load.exit_status == kExitMissing) {
    return Verdict{check,
                   VerdictStatus::kSkipped,
                   "it takes two CPUs and the right to use real-time priorities (CAP_SYS_NICE)",
                   {},
                   {}};
  }
  return Verdict{check,
                 VerdictStatus::kFailed,
                 fmt::format("its load ended with exit status {}", load.exit_status),
                 {},
                 {}};
}

}  // namespace

Verdict judge_run_time(const Measured& threads) {
  constexpr std::string_view kName = "run-time";
  if (auto verdict = not_run(kName, threads)) {
    return *verdict;
  }
  const double error = std::abs(off(threads.run.run_ns, threads.cpu_ns));
  return {
      kName, passed(error <= kRunTimeLimit),
      fmt::format("{} threads: {:.4f} s seen of {:.4f} s of CPU time, {:.2f} % off ({:.0f} % is "
                  "allowed)",
                  threads.run.threads, seconds(threads.run.run_ns), seconds(threads.cpu_ns),
                  error * 100, kRunTimeLimit * 100),
      error, kRunTimeLimit};
}

Verdict judge_never_switching(const Measured& fifo) {
  constexpr std::string_view kName = "never-switching";
  if (auto verdict = not_run(kName, fifo)) {
    return *verdict;
  }
  const double error = std::abs(off(fifo.run.run_ns, fifo.cpu_ns));
  return {kName, passed(fifo.windows >= 5 && fifo.windows_without == 0 && error <= kRunTimeLimit),
          fmt::format("a task that keeps its CPU: seen in {} of {} windows, {:.4f} s of {:.4f} s",
                      fifo.windows - fifo.windows_without, fifo.windows, seconds(fifo.run.run_ns),
                      seconds(fifo.cpu_ns)),
          error, kRunTimeLimit};
}

Verdict judge_fork_storm(const Measured& storm) {
  constexpr std::string_view kName = "fork-storm";
  if (auto verdict = not_run(kName, storm)) {
    return *verdict;
  }
  const double named = storm.cpu_ns == 0 ? 0
                                         : seconds(std::min(storm.named_ns, storm.run.run_ns)) /
                                               seconds(storm.cpu_ns);
  return {kName, passed(named >= kNamedLimit && storm.run.processes > 100),
          fmt::format("{} processes: {:.1f} % of their {:.4f} s of CPU time is in rows of their "
                      "name ({:.0f} % is asked for)",
                      storm.run.processes, named * 100, seconds(storm.cpu_ns), kNamedLimit * 100),
          named, kNamedLimit};
}

Verdict judge_twins(const Measured& spin, const Measured& forks) {
  constexpr std::string_view kName = "twins";
  for (const Measured* twin : {&spin, &forks}) {
    if (auto verdict = not_run(kName, *twin)) {
      return *verdict;
    }
  }
  const auto rate = [](const Measured& twin) {
    return twin.cpu_ns == 0 ? 0
                            : static_cast<double>(twin.run.command.nj) / 1e9 / seconds(twin.cpu_ns);
  };
  if (rate(spin) <= 0 || rate(forks) <= 0) {
    return {kName,
            VerdictStatus::kFailed,
            "the energy source gave a job no energy; see powertrace doctor",
            {},
            {}};
  }
  const double apart = std::abs(rate(forks) / rate(spin) - 1);
  return {
      kName, passed(apart <= kTwinLimit),
      fmt::format("one process {:.3f} J, {} short-lived ones {:.3f} J per second of CPU time: "
                  "{:.1f} % apart ({:.0f} % is allowed)",
                  rate(spin), forks.run.processes - 1, rate(forks), apart * 100, kTwinLimit * 100),
      apart, kTwinLimit};
}

Verdict judge_cycles(const Measured& threads, const CounterSupport& support) {
  constexpr std::string_view kName = "cycles";
  if (auto verdict = not_run(kName, threads)) {
    return *verdict;
  }
  if (support.events.empty() || !threads.perf_cycles) {
    return {kName,
            VerdictStatus::kSkipped,
            support.reason.empty() ? "perf events are not permitted" : support.reason,
            {},
            {}};
  }
  const double real = static_cast<double>(*threads.perf_cycles);
  const double error = real > 0 ? std::abs(threads.run.cycles / real - 1) : 1;
  return {
      kName, passed(error <= kCyclesLimit),
      fmt::format(
          "{:.3f} G seen of {:.3f} G that a perf event counted, {:.2f} % off ({:.0f} % is allowed)",
          threads.run.cycles / 1e9, real / 1e9, error * 100, kCyclesLimit * 100),
      error, kCyclesLimit};
}

Verdict judge_conservation(const Balance& balance) {
  const bool ok = balance.imbalance_nj == 0 && balance.energy_nj > 0 && balance.lost_slices == 0;
  std::string what = fmt::format("{} windows, {} {}: rows add up to {} ", balance.windows,
                                 balance.zones, balance.zones == 1 ? "zone" : "zones",
                                 format_joules(static_cast<double>(balance.energy_nj) / 1e9));
  what += balance.imbalance_nj == 0 ? "exactly" : fmt::format("less {} nJ", balance.imbalance_nj);
  if (balance.lost_slices + balance.lost_events > 0) {
    what += fmt::format("; {} slices and {} events were lost", balance.lost_slices,
                        balance.lost_events);
  }
  return {"conservation", passed(ok), std::move(what), static_cast<double>(balance.imbalance_nj),
          0.0};
}

Verdict judge_overhead(const SelfCost& cost, double seconds) {
  const double share = cost.cpu_seconds / seconds;
  return {
      "overhead", passed(share <= kOverheadLimit),
      fmt::format("{:.2f} % of a CPU with ten windows a second ({:.0f} % is allowed), {:.0f} ns "
                  "a switch, {:.0f} switches a second, {:.0f} MB",
                  share * 100, kOverheadLimit * 100, cost.bpf_ns_per_switch,
                  static_cast<double>(cost.switches) / seconds,
                  static_cast<double>(cost.rss_bytes) / 1e6),
      share, kOverheadLimit};
}

}  // namespace powertrace
