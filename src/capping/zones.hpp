// SPDX-License-Identifier: Apache-2.0
//
// Package zones of powercap and their limits as they are now. Zone numbers are the order in which
// the kernel met them, so zones go by the name they carry.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/sysroot.hpp"
#include "capping/sysfs_io.hpp"

namespace powertrace {

// The hardware's usual unit. A limit reads back as a multiple of it.
constexpr std::uint64_t kLimitUnitUw = 125'000;
// Above it the field of PL1 wraps to 0; defaults such as 4095.875 W mean "none".
constexpr std::uint64_t kSaneLimitUw = 1'000'000'000;
constexpr std::uint64_t kLeastLimitUw = 1'000'000;

// Whether one limit may be what the other reads back as.
constexpr bool same_limit(std::uint64_t a_uw, std::uint64_t b_uw) {
  return (a_uw > b_uw ? a_uw - b_uw : b_uw - a_uw) <= kLimitUnitUw;
}

struct PowerConstraint {
  int index = 0;
  std::uint64_t limit_uw = 0;
  std::string limit_text;               // as it was read, to be written back like that
  std::optional<std::uint64_t> max_uw;  // the thermal design power for PL1
  std::string window_text;              // never written
};

struct PowerZone {
  std::string id;    // "intel-rapl:0"
  std::string dir;   // of its files
  std::string name;  // "package-0"
  bool enabled = true;
  std::string enabled_text;
  std::optional<PowerConstraint> long_term;   // PL1
  std::optional<PowerConstraint> short_term;  // PL2
  std::optional<std::uint64_t> energy_range_uj;

  // Where the files of a constraint are: limit_path(*long_term).
  [[nodiscard]] std::string limit_path(const PowerConstraint& constraint) const;

  // What the package is made for, or else its limit, or else what the user says; nullopt: nobody
  // knows.
  [[nodiscard]] std::optional<std::uint64_t> reference_uw() const;
  // The most that may be written: what was found, or the reference if that is no real limit.
  [[nodiscard]] std::uint64_t most_uw() const;

  std::optional<std::uint64_t> user_max_uw;  // --max-watts
  std::string problem;                       // why it cannot be controlled; empty: it can
};

// All package zones of intel-rapl (MSR and TPMI), by name. kNotFound: there are none.
Result<std::vector<PowerZone>> find_package_zones(SysfsIo& io,
                                                  const SysRoot& root,
                                                  std::optional<std::uint64_t> user_max_uw);

}  // namespace powertrace
