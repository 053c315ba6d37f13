// SPDX-License-Identifier: Apache-2.0
//
// Between what a policy wants and what is written: small and quick changes are left out, large ones
// are made slowly. Pure but for its own memory; time is given.
#pragma once

#include <cstdint>
#include <optional>

namespace powertrace {

struct LimiterConfig {
  double hysteresis_w = 2;         // a change must be at least this ...
  double hysteresis_share = 0.02;  // ... and this share of the present target
  double dwell_s = 60;             // between two targets
  double slew_w_per_s = 10;
};

class Limiter {
 public:
  // Starts without a target at `start_w`.
  Limiter(const LimiterConfig& config, double start_w) : config_(config), applied_w_(start_w) {}

  // The power to apply now. Times never go back.
  double step(double now_s, double wanted_w);

  // From here on, as if new: after limits were restored.
  void reset(double now_s, double start_w);

  [[nodiscard]] double applied_w() const { return applied_w_; }
  [[nodiscard]] std::optional<double> target_w() const { return target_w_; }

 private:
  LimiterConfig config_;
  double applied_w_;
  std::optional<double> target_w_;
  double target_since_s_ = 0;
  std::optional<double> last_s_;
};

}  // namespace powertrace
