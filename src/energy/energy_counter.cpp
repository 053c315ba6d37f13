// SPDX-License-Identifier: Apache-2.0
#include "energy/energy_counter.hpp"

#include <limits>

namespace powertrace {
namespace {

// A counter advances in steps of about 1 ms and is read through an IPI: two readings 1 ms apart may
// hold the energy of several. Generous, because it only has to tell a wrap from a reset.
constexpr std::uint64_t kWrapSlackNs = 1'000'000'000;
constexpr std::uint64_t kMaxDeltaUj = std::numeric_limits<std::int64_t>::max() / 1000;

double energy_uj(std::uint64_t power_uw, std::uint64_t time_ns) {
  return static_cast<double>(power_uw) * static_cast<double>(time_ns) * 1e-9;
}

}  // namespace

Unwrapped unwrap_uj(const CounterSpec& spec,
                    std::uint64_t previous_uj,
                    std::uint64_t now_uj,
                    std::uint64_t elapsed_ns) {
  constexpr Unwrapped kUnknown{ZoneStatus::kAmbiguous, 0};
  const bool may_wrap_twice = spec.range_uj > 0 && energy_uj(spec.max_power_uw, elapsed_ns) >
                                                       static_cast<double>(spec.range_uj);
  if (may_wrap_twice) {
    return kUnknown;
  }
  if (now_uj >= previous_uj) {
    const std::uint64_t delta_uj = now_uj - previous_uj;
    return delta_uj > kMaxDeltaUj ? kUnknown : Unwrapped{ZoneStatus::kOk, delta_uj};
  }
  if (spec.range_uj == 0) {
    return kUnknown;
  }
  // The range is rounded to a unit, so a reading may lie just above it.
  const std::uint64_t to_wrap_uj = spec.range_uj > previous_uj ? spec.range_uj - previous_uj : 0;
  const double plausible_uj = energy_uj(spec.max_power_uw, elapsed_ns + kWrapSlackNs);
  if (static_cast<double>(to_wrap_uj) + static_cast<double>(now_uj) > plausible_uj ||
      to_wrap_uj + now_uj > kMaxDeltaUj) {
    return kUnknown;  // the counter started anew (resume, driver reload) rather than wrapped
  }
  return {ZoneStatus::kOk, to_wrap_uj + now_uj};
}

int EnergyCounter::probe(ClockFn clock) {
  std::uint64_t value_uj = 0;
  return file_.read(clock(), value_uj);
}

void EnergyCounter::read(ClockFn clock, ZoneDelta& delta) {
  delta = {};
  const std::uint64_t before_ns = clock();
  std::uint64_t now_uj = 0;
  if (const int error = file_.read(before_ns, now_uj); error != 0) {
    has_previous_ = false;
    mark_unreadable(error, delta);
    return;
  }
  const std::uint64_t now_ns = before_ns + (clock() - before_ns) / 2;
  if (has_previous_) {
    delta.duration_ns = now_ns - previous_ns_;
    const Unwrapped energy = unwrap_uj(spec_, previous_uj_, now_uj, delta.duration_ns);
    delta.status = energy.status;
    delta.energy_nj = static_cast<std::int64_t>(energy.delta_uj) * 1000;
  } else {
    delta.status = ZoneStatus::kFirst;
  }
  has_previous_ = true;
  previous_uj_ = now_uj;
  previous_ns_ = now_ns;
}

std::uint64_t EnergyCounter::max_interval_ns() const {
  if (spec_.range_uj == 0 || spec_.max_power_uw == 0) {
    return std::numeric_limits<std::uint64_t>::max();
  }
  const double seconds =
      static_cast<double>(spec_.range_uj) / static_cast<double>(spec_.max_power_uw) / 4;
  return seconds < 1e9 ? static_cast<std::uint64_t>(seconds * 1e9)
                       : std::numeric_limits<std::uint64_t>::max();
}

}  // namespace powertrace
