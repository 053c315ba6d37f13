// SPDX-License-Identifier: Apache-2.0
#include "model/stat.hpp"

#include <cmath>
#include <utility>

#include "model/uncertainty.hpp"

namespace powertrace {
namespace {

constexpr LedgerKey kFamily{{1, 0}, 0};
constexpr LedgerKey kOthers{{0, 0}, 0};

// A sum over the zones that count, with the variance of what is independent in it.
struct Sum {
  Energy energy;
  double variance_nj2 = 0;

  void add(const Zone& zone, const LedgerZone& use, std::int64_t part_nj) {
    energy.nj += part_nj;
    variance_nj2 += jitter_variance_nj2(zone, use, part_nj);
  }
  // `guess` is the relative error of guessed counter rates, the same for all zones.
  [[nodiscard]] Energy finish(double expected_error, double guess = 0) const {
    const double guess_nj = guess * static_cast<double>(energy.nj);
    return {energy.nj,
            energy_sigma_nj(energy.nj, variance_nj2 + guess_nj * guess_nj, expected_error)};
  }
};

}  // namespace

StatMeter::StatMeter(std::uint32_t root, std::vector<Zone> zones, double expected_error)
    : family_(root),
      ledger_(zones.size()),
      zones_(std::move(zones)),
      expected_error_(expected_error) {}

void StatMeter::add(const Window& window, const Attribution& attribution) {
  ledger_.add(window, attribution, zones_,
              [this](const TaskUse& use) { return family_.saw(use) ? kFamily : kOthers; });
  family_.end_window();
}

StatRun StatMeter::result() const {
  StatRun run;
  const auto found = ledger_.entries().find(kFamily);
  LedgerEntry use = found == ledger_.entries().end() ? LedgerEntry() : found->second;
  use.energy_nj.resize(zones_.size());

  Sum command;
  Sum idle;
  Sum machine;
  for (std::size_t z = 0; z < zones_.size(); ++z) {
    if (zones_[z].in_total) {
      const LedgerZone& all = ledger_.zones()[z];
      command.add(zones_[z], all, use.energy_nj[z]);
      idle.add(zones_[z], all, all.idle_nj);
      machine.add(zones_[z], all, all.energy_nj);
      run.unattributed_nj += all.unattributed_nj;
    }
  }
  const double guess = command.energy.nj == 0
                           ? 0
                           : std::sqrt(use.guess_var_nj2) / static_cast<double>(command.energy.nj);
  run.command = command.finish(expected_error_, guess);
  run.idle = idle.finish(expected_error_);
  run.machine = machine.finish(expected_error_);
  for (std::size_t z = 0; z < zones_.size(); ++z) {
    const LedgerZone& all = ledger_.zones()[z];
    const auto part = [&](std::int64_t part_nj, double part_guess = 0) {
      Sum sum;
      sum.add(zones_[z], all, part_nj);
      return sum.finish(expected_error_, part_guess);
    };
    run.zones.push_back({part(use.energy_nj[z], guess), part(all.idle_nj), part(all.energy_nj),
                         all.duration_ns, all.status, all.sys_errno});
  }

  run.interval_ns = ledger_.end_ns() - ledger_.start_ns();
  run.windows = ledger_.windows();
  run.run_ns = use.run_ns;
  run.counted_ns = use.counted_ns;
  run.cycles = use.cycles;
  run.instructions = use.instructions;
  run.processes = family_.processes();
  run.threads = family_.threads();
  run.survivors = family_.living();
  return run;
}

}  // namespace powertrace
