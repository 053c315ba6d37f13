// SPDX-License-Identifier: Apache-2.0
//
// One wrapping microjoule counter behind a file: what a powercap zone and a hwmon energy input are.
// Owns the file descriptor and the previous reading. Loop thread only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "energy/value_file.hpp"
#include "model/zone.hpp"

namespace powertrace {

struct CounterSpec {
  std::string path;
  std::uint64_t range_uj = 0;      // where it wraps; 0: it does not, or nobody knows
  std::uint64_t max_power_uw = 0;  // no plausible load exceeds it; tells one wrap from several
  std::vector<ValueFile::NameCheck> identity;
};

struct Unwrapped {
  ZoneStatus status = ZoneStatus::kOk;  // kOk or kAmbiguous
  std::uint64_t delta_uj = 0;
};

// The energy between two readings `elapsed_ns` apart. kAmbiguous if the counter could have wrapped
// more than once, or went back in a way that no single wrap explains.
Unwrapped unwrap_uj(const CounterSpec& spec,
                    std::uint64_t previous_uj,
                    std::uint64_t now_uj,
                    std::uint64_t elapsed_ns);

class EnergyCounter {
 public:
  explicit EnergyCounter(CounterSpec spec)
      : spec_(std::move(spec)), file_(spec_.path, spec_.identity) {}

  // Opens and reads once without taking the value: 0, or the errno of what is wrong.
  int probe(ClockFn clock);
  // See EnergySource::read(). A counter without a file is opened again at most once a second.
  void read(ClockFn clock, ZoneDelta& delta);
  // A quarter of the shortest time to a wrap; UINT64_MAX if the counter does not wrap.
  [[nodiscard]] std::uint64_t max_interval_ns() const;
  [[nodiscard]] const CounterSpec& spec() const { return spec_; }

 private:
  CounterSpec spec_;
  ValueFile file_;
  bool has_previous_ = false;
  std::uint64_t previous_uj_ = 0;
  std::uint64_t previous_ns_ = 0;
};

}  // namespace powertrace
