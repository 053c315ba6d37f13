// SPDX-License-Identifier: Apache-2.0
#include "render/stat_figures.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/units.hpp"

namespace powertrace {
namespace {

using Value = std::optional<double>;

template <typename Nanojoules>
Value energy(Nanojoules nj) {
  return joules(nj);
}
Value seconds(std::uint64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e9;
}
Value count(std::uint64_t number) {
  return static_cast<double>(number);
}
Value ratio(double part, double whole) {
  return whole > 0 ? Value(part / whole) : std::nullopt;
}
Value if_counted(double counter) {
  return counter > 0 ? Value(counter) : std::nullopt;
}

double command_nj(const StatRun& run) {
  return static_cast<double>(run.command.nj);
}
double elapsed(const StatRun& run) {
  return static_cast<double>(run.elapsed_ns);
}

// J is nJ / 1e9 and s is ns / 1e9, so that W is nJ / ns.
constexpr std::array<StatFigure, 25> kFigures{{
    {"joules", [](const StatRun& run) { return energy(command_nj(run)); }},
    {"plus_minus_joules", [](const StatRun& run) { return energy(run.command.sigma_nj); }},
    {"share",
     [](const StatRun& run) {
       return ratio(command_nj(run), static_cast<double>(run.machine.nj));
     }},
    {"watts", [](const StatRun& run) { return ratio(command_nj(run), elapsed(run)); }},
    {"plus_minus_watts",
     [](const StatRun& run) { return ratio(run.command.sigma_nj, elapsed(run)); }},
    {"elapsed_s", [](const StatRun& run) { return seconds(run.elapsed_ns); }},
    {"cpu_seconds", [](const StatRun& run) { return seconds(run.run_ns); }},
    {"cpus_utilised",
     [](const StatRun& run) { return ratio(static_cast<double>(run.run_ns), elapsed(run)); }},
    {"user_s", [](const StatRun& run) { return seconds(run.user_ns); }},
    {"system_s", [](const StatRun& run) { return seconds(run.system_ns); }},
    {"edp_js", [](const StatRun& run) { return Value(command_nj(run) * elapsed(run) / 1e18); }},
    {"plus_minus_edp_js",
     [](const StatRun& run) { return Value(run.command.sigma_nj * elapsed(run) / 1e18); }},
    {"cycles", [](const StatRun& run) { return if_counted(std::round(run.cycles)); }},
    {"instructions", [](const StatRun& run) { return if_counted(std::round(run.instructions)); }},
    {"ipc",
     [](const StatRun& run) {
       return if_counted(ratio(run.instructions, run.cycles).value_or(0));
     }},
    {"nj_per_instruction",
     [](const StatRun& run) { return ratio(command_nj(run), run.instructions); }},
    {"counted_share",
     [](const StatRun& run) {
       return run.cycles > 0
                  ? ratio(static_cast<double>(run.counted_ns), static_cast<double>(run.run_ns))
                  : std::nullopt;
     }},
    {"idle_joules", [](const StatRun& run) { return energy(run.idle.nj); }},
    {"plus_minus_idle_joules", [](const StatRun& run) { return energy(run.idle.sigma_nj); }},
    {"machine_joules", [](const StatRun& run) { return energy(run.machine.nj); }},
    {"plus_minus_machine_joules", [](const StatRun& run) { return energy(run.machine.sigma_nj); }},
    {"unattributed_joules", [](const StatRun& run) { return energy(run.unattributed_nj); }},
    {"processes", [](const StatRun& run) { return count(run.processes); }},
    {"threads", [](const StatRun& run) { return count(run.threads); }},
    {"survivors", [](const StatRun& run) { return count(run.survivors); }},
}};

}  // namespace

std::span<const StatFigure> stat_figures() {
  return kFigures;
}

std::optional<StatSpread> spread(std::span<const StatRun> runs, const StatValue& value) {
  std::vector<double> values;
  for (const StatRun& run : runs) {
    if (const std::optional<double> one = value(run)) {
      values.push_back(*one);
    }
  }
  if (values.empty()) {
    return std::nullopt;
  }
  const auto size = static_cast<double>(values.size());
  StatSpread result;
  for (const double one : values) {
    result.mean += one / size;
  }
  if (values.size() > 1) {
    double squares = 0;
    for (const double one : values) {
      squares += (one - result.mean) * (one - result.mean);
    }
    result.deviation = std::sqrt(squares / (size - 1));
  }
  return result;
}

std::optional<StatSpread> spread(std::span<const StatRun> runs, std::string_view figure) {
  const auto found = std::find_if(kFigures.begin(), kFigures.end(),
                                  [&](const StatFigure& known) { return known.name == figure; });
  return found == kFigures.end() ? std::nullopt : spread(runs, StatValue(found->value));
}

}  // namespace powertrace
