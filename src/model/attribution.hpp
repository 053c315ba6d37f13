// SPDX-License-Identifier: Apache-2.0
//
// Attribution: one window in, joules per task out. A pure function in integers: the parts of a zone
// add up to the zone exactly, whatever the model and the policy.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/counter_rates.hpp"
#include "model/window.hpp"
#include "model/zone.hpp"

namespace powertrace {

enum class Model : std::uint8_t {
  kTime,    // weight = run time
  kCycles,  // weight = cycles, estimated for slices whose counters were not read
};

enum class IdlePolicy : std::uint8_t {
  kSeparate,      // idle energy is the row [idle]
  kProportional,  // idle energy is divided by run time, active energy by the model
  kEven,          // idle energy is divided evenly over the cgroups that ran, by weight within each
  kNone,          // no idle split: all energy is divided by the model
};

std::string_view model_name(Model model);
std::string_view idle_policy_name(IdlePolicy policy);
Result<Model> parse_model(std::string_view text);             // "time", "cycles"
Result<IdlePolicy> parse_idle_policy(std::string_view text);  // "separate", ...

struct AttributionConfig {
  Model model = Model::kTime;
  IdlePolicy idle = IdlePolicy::kSeparate;
};

// What of one zone went to no task. With the tasks' parts it makes up the zone's energy exactly.
struct ZoneRemainder {
  std::int64_t idle_nj = 0;
  std::int64_t unattributed_nj = 0;  // run time was lost, or nothing ran and it was not idle power
};

struct Attribution {
  std::size_t zone_count = 0;
  // tasks x zones, row-major, in the order of Window::tasks: energy_nj[task * zone_count + zone].
  std::vector<std::int64_t> energy_nj;
  std::vector<ZoneRemainder> remainders;   // by zone
  std::vector<CounterEstimate> estimates;  // of whole runs, by task; 0 where nothing was counted
  // Cycles per ns of tasks without a counted slice are guessed; this is the relative spread
  // (standard deviation / mean, by counted time) of the rates that were counted: the error of a
  // guess. 0 where no guess was made: the weights are run time.
  double rate_spread = 0;

  [[nodiscard]] std::span<const std::int64_t> task(std::size_t index) const {
    return std::span(energy_nj).subspan(index * zone_count, zone_count);
  }
};

// `idle_mw[zone]`: the zone's idle power in mW, or nullopt while unknown: then no energy counts as
// idle, unless nothing at all ran, when all of it does. Zones whose status is not kOk get nothing.
// Zones of one socket are divided over the tasks of that socket; node zones (socket -1) over all
// tasks. Lost run time weighs like run time at the socket's mean rate; its share is unattributed.
// The order of the window's tasks makes no difference.
Attribution attribute(const Window& window,
                      std::span<const Zone> zones,
                      std::span<const std::optional<std::int64_t>> idle_mw,
                      const AttributionConfig& config);

// Divides `total` >= 0 over `weights` so that the parts add up to it exactly (largest remainder,
// ties to the lower index). All weights 0: returns false and writes nothing.
bool divide_exactly(std::int64_t total,
                    std::span<const std::uint64_t> weights,
                    std::span<std::int64_t> parts);

}  // namespace powertrace
