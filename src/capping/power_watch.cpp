// SPDX-License-Identifier: Apache-2.0
#include "capping/power_watch.hpp"

namespace powertrace {
namespace {

constexpr double kLeastIntervalS = 0.9;
constexpr double kTolerance = 1.1;
constexpr int kIntervals = 3;

}  // namespace

void PowerWatch::add(double mono_s, std::uint64_t energy_uj, double limit_w) {
  if (!last_s_) {
    last_s_ = mono_s;
    last_uj_ = energy_uj;
    last_limit_w_ = limit_w;
    return;
  }
  const double elapsed_s = mono_s - *last_s_;
  if (elapsed_s < kLeastIntervalS) {
    return;
  }
  const bool wrapped = energy_uj < last_uj_;
  if (!wrapped || range_uj_) {
    const std::uint64_t delta_uj =
        wrapped ? *range_uj_ - last_uj_ + energy_uj : energy_uj - last_uj_;
    watts_ = static_cast<double>(delta_uj) / 1e6 / elapsed_s;
    // While the limit moves, the package may still be where it was.
    const bool steady = limit_w == last_limit_w_;
    above_ = steady && *watts_ > limit_w * kTolerance ? above_ + 1 : 0;
    if (++intervals_ >= kIntervals) {
      effective_ = above_ < kIntervals;
    }
  }
  last_s_ = mono_s;
  last_uj_ = energy_uj;
  last_limit_w_ = limit_w;
}

}  // namespace powertrace
