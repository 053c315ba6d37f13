// SPDX-License-Identifier: Apache-2.0
#include "capping/controller.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/choice.hpp"
#include "base/parse.hpp"

namespace powertrace {
namespace {

constexpr std::array kPhases{Choice<CapPhase>{"following", CapPhase::kFollowing},
                             Choice<CapPhase>{"holding", CapPhase::kHolding},
                             Choice<CapPhase>{"released", CapPhase::kReleased}};

// A schedule has no slots; its decision is good for a minute.
constexpr std::int64_t kScheduleSlotS = 60;

}  // namespace

std::string_view cap_phase_name(CapPhase phase) {
  return choice_name(kPhases, phase);
}

Result<Controller> Controller::create(const ControllerConfig& config) {
  PT_TRY(check_policy(config.policy, config.range));
  if (config.range.ceiling_w > config.original_w + 0.001) {
    return fail(ErrorCode::kUsage, "the ceiling of {:g} W is above the {:g} W that were found",
                config.range.ceiling_w, config.original_w);
  }
  const LimiterConfig& limiter = config.limiter;
  if (limiter.hysteresis_w < 0 || limiter.hysteresis_share < 0 || limiter.hysteresis_share > 1 ||
      limiter.dwell_s < 0 || !(limiter.slew_w_per_s > 0) || config.stale_after_s < 0) {
    return fail(ErrorCode::kUsage,
                "hysteresis, dwell and stale-after cannot be negative, and slew must be above 0");
  }
  return Controller(config);
}

ControlStep Controller::step(double now_s, const Series* series) {
  const auto instant_s = static_cast<std::int64_t>(std::floor(now_s));
  auto decision = decide(config_.policy, config_.range, series, instant_s);
  ControlStep step;
  if (decision) {
    const std::int64_t length_s = decision->slot ? decision->slot->length_s() : kScheduleSlotS;
    const std::int64_t end_s = decision->slot ? decision->slot->end_s : instant_s + kScheduleSlotS;
    good_until_s_ = end_s + (config_.stale_after_s > 0 ? config_.stale_after_s : 2 * length_s);
    last_ = std::move(*decision);
    step.phase = CapPhase::kFollowing;
  } else if (last_ && instant_s < good_until_s_) {
    step.phase = CapPhase::kHolding;
    step.note = decision.error().message;
  } else {
    last_.reset();
    limiter_.reset(now_s, config_.original_w);
    step.note = decision.error().message;
    step.applied_w = config_.original_w;
    return step;
  }
  step.decision = last_;
  // The ceiling without a limit of the user's is no limit at all.
  step.applied_w = std::min(limiter_.step(now_s, last_->watts), config_.original_w);
  step.target_w = limiter_.target_w();
  return step;
}

Result<double> parse_power_bound(std::string_view text, double hundred_percent_w) {
  double bound_w = 0;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    std::string_view part = text.substr(begin, comma - begin);
    begin = comma + 1;
    const bool share = part.ends_with('%');
    const bool watts = part.ends_with('W');
    if (share || watts) {
      part.remove_suffix(1);
    }
    const auto value = parse_double(part);
    if ((!share && !watts) || !value || !(*value > 0)) {
      return fail(ErrorCode::kUsage, "\"{}\" is not a power: write 95W, 50% or both, 95W,50%",
                  text);
    }
    bound_w = std::max(bound_w, share ? *value / 100 * hundred_percent_w : *value);
  }
  return bound_w;
}

}  // namespace powertrace
