// SPDX-License-Identifier: Apache-2.0
//
// Energy in whole units whose sum is that of the nanojoules: what is left over goes on to the next.
// Pure.
#pragma once

#include <cstdint>

namespace powertrace::report {

class WholeUnits {
 public:
  static WholeUnits microjoules() { return {1, 1000}; }
  // 1 J is 1e12 / 3600 pWh.
  static WholeUnits picowatt_hours() { return {5, 18}; }

  std::int64_t next(std::int64_t energy_nj) {
    sum_nj_ += energy_nj;
    const std::int64_t all =
        sum_nj_ / nanojoules_ * units_ + sum_nj_ % nanojoules_ * units_ / nanojoules_;
    const std::int64_t now = all - sum_;
    sum_ = all;
    return now;
  }

 private:
  WholeUnits(std::int64_t units, std::int64_t nanojoules)
      : units_(units), nanojoules_(nanojoules) {}

  std::int64_t units_;  // in so many nanojoules
  std::int64_t nanojoules_;
  std::int64_t sum_nj_ = 0;
  std::int64_t sum_ = 0;
};

}  // namespace powertrace::report
