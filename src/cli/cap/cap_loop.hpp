// SPDX-License-Identifier: Apache-2.0
//
// The body of `cap observe` and `cap enforce`: at every tick look up the market, decide, write (or
// not), and publish the state. Owned by run_cap(); its loop's thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "capping/actuator.hpp"
#include "capping/controller.hpp"
#include "capping/effect.hpp"
#include "capping/power_watch.hpp"
#include "capping/status.hpp"
#include "cli/cap/market_input.hpp"
#include "cli/cap/workloads.hpp"
#include "cli/cmd_cap.hpp"

namespace powertrace {

class CapLoop {
 public:
  // Finds the zones and, to enforce, takes them over. Writes no limit yet.
  static Result<std::unique_ptr<CapLoop>> open(const GlobalOptions& global,
                                               const CapOptions& options);

  // One decision. An error ends the command; limits are restored when this object goes.
  Status tick();
  // Adds an interval of the profiler.
  void add_snapshot(const Snapshot& snapshot);

  // Called with every state that is published, on this thread.
  void on_status(std::function<void(const CapStatus&)> handler) { handler_ = std::move(handler); }
  // Enough decisions have been made.
  [[nodiscard]] bool done() const { return done_; }
  // Lifts all limits; `trigger` is for the metrics.
  void restore(const std::string& trigger);
  // For others, once all limits are lifted.
  CapStatus final_status();

 private:
  CapLoop(const GlobalOptions& global, const CapOptions& options);

  Status find_zones();
  Status make_controller();
  [[nodiscard]] double now_s() const;
  Status act(double now, const ControlStep& step);
  void measure();
  [[nodiscard]] bool capped() const;
  Status publish(double now, const ControlStep& step, const Series* series);
  [[nodiscard]] CapStatus status_of(double now, const ControlStep& step, const Series* series);
  Status print(double now, const ControlStep& step);

  CapOptions options_;
  SysRoot root_;
  StateDir state_dir_;
  SysfsIo io_;
  std::unique_ptr<Actuator> actuator_;  // null: observe
  std::vector<PowerZone> zones_;        // as found
  std::vector<PowerWatch> watches_;     // parallel to zones_
  double original_w_ = 0;
  PowerRange range_;
  std::optional<Controller> controller_;
  std::optional<MarketInput> input_;
  WorkloadSampler sampler_;
  EffectLedger effect_;
  std::function<void(const CapStatus&)> handler_;
  std::uint64_t published_ns_ = 0;
  std::optional<CapPhase> last_phase_;
  double last_applied_w_ = 0;
  bool published_once_ = false;
  bool status_writable_ = true;
  std::uint64_t decisions_ = 0;
  bool done_ = false;
};

}  // namespace powertrace
