// SPDX-License-Identifier: Apache-2.0
#include "capping/limiter.hpp"

#include <algorithm>
#include <cmath>

namespace powertrace {

double Limiter::step(double now_s, double wanted_w) {
  const double least_w =
      std::max(config_.hysteresis_w, config_.hysteresis_share * target_w_.value_or(applied_w_));
  const bool settled = !target_w_ || now_s - target_since_s_ >= config_.dwell_s;
  if (settled && std::abs(wanted_w - target_w_.value_or(applied_w_)) >= least_w) {
    target_w_ = wanted_w;
    target_since_s_ = now_s;
  }
  // The first step is one second's worth: nobody knows how long the start value has been there.
  const double elapsed_s = last_s_ ? std::max(now_s - *last_s_, 0.0) : 1;
  last_s_ = now_s;
  if (target_w_) {
    const double most_w = config_.slew_w_per_s * elapsed_s;
    applied_w_ += std::clamp(*target_w_ - applied_w_, -most_w, most_w);
  }
  return applied_w_;
}

void Limiter::reset(double now_s, double start_w) {
  applied_w_ = start_w;
  target_w_.reset();
  last_s_ = now_s;
}

}  // namespace powertrace
