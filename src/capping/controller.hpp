// SPDX-License-Identifier: Apache-2.0
//
// From market data to the power to apply: policy, then limiter, and what happens without data: the
// last decision holds for a while, then the limits are lifted. Pure but for its own memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "capping/limiter.hpp"
#include "capping/policy.hpp"
#include "market/series.hpp"

namespace powertrace {

struct ControllerConfig {
  Policy policy;
  PowerRange range;       // of the node
  double original_w = 0;  // without any limit of ours
  LimiterConfig limiter;
  std::int64_t stale_after_s = 0;  // 0: two slots
};

enum class CapPhase : std::uint8_t {
  kFollowing,  // there is data
  kHolding,    // there is none any more; the last decision still stands
  kReleased,   // there has been none for too long, or never: no limits
};
std::string_view cap_phase_name(CapPhase phase);

struct ControlStep {
  CapPhase phase = CapPhase::kReleased;
  std::optional<Decision> decision;  // the one in force
  double applied_w = 0;              // what to write; the original when released
  std::optional<double> target_w;    // what it is moving to
  std::string note;                  // why it is not following
};

class Controller {
 public:
  // kUsage for a range or a policy that makes no sense.
  static Result<Controller> create(const ControllerConfig& config);

  // `now_s` is wall time; `series` may be null.
  ControlStep step(double now_s, const Series* series);

 private:
  explicit Controller(const ControllerConfig& config)
      : config_(config), limiter_(config.limiter, config.original_w) {}

  ControllerConfig config_;
  Limiter limiter_;
  std::optional<Decision> last_;
  std::int64_t good_until_s_ = 0;
};

// "95W", "50%", "95W,50%" (the greater): a floor or a ceiling of the node. kUsage.
Result<double> parse_power_bound(std::string_view text, double hundred_percent_w);

}  // namespace powertrace
