// SPDX-License-Identifier: Apache-2.0
//
// Where the self-test lets its loads run while the pipeline watches them. One thread, blocking.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "cli/child.hpp"
#include "model/stat.hpp"
#include "pipeline/pipeline.hpp"

namespace powertrace {

struct LoadSpec {
  std::string name;
  std::uint64_t time_ns = 0;
};

// One load, as powertrace saw it and as the kernel accounts for it.
struct Measured {
  StatRun run;
  int exit_status = 0;
  std::uint64_t cpu_ns = 0;    // getrusage()
  std::uint64_t named_ns = 0;  // its own, and that of all tasks that bear the loads' name
  // Windows from its first to its last, and how many of them it did not run in.
  std::uint64_t windows = 0;
  std::uint64_t windows_without = 0;
  std::optional<std::uint64_t> perf_cycles;  // of a perf event of its own
};

// What every snapshot must keep to.
struct Balance {
  std::uint64_t windows = 0;
  std::uint64_t zones = 0;
  std::int64_t energy_nj = 0;
  std::int64_t imbalance_nj = 0;  // the largest, of any zone in any snapshot
  std::uint64_t lost_slices = 0;
  std::uint64_t lost_events = 0;
};

class Stage {
 public:
  explicit Stage(Pipeline& pipeline);
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  ~Stage();

  Status start();
  // Runs the loads side by side, until all have ended.
  Result<std::vector<Measured>> run(std::span<const LoadSpec> loads);
  // Only watches; what that cost.
  SelfCost rest(std::uint64_t time_ns);

  [[nodiscard]] const Balance& balance() const { return balance_; }

 private:
  struct Actor {
    Child child;
    StatMeter meter;
    UniqueFd cycles;
    Measured measured;
    std::uint64_t absent = 0;  // windows since it last ran
    bool ended = false;
  };

  static Result<Child> spawn(const LoadSpec& load);
  static Status finish(Actor& actor);
  void on_window(const Window& window, const Attribution& attribution);
  // Until the edge of the next window or, before it, the end of a load.
  void wait();
  void tick();
  // The interval so far as a snapshot, whose sums are checked.
  SelfCost settle();

  Pipeline& pipeline_;
  std::vector<Actor> actors_;
  std::uint64_t edge_ns_ = 0;  // of the open window
  Balance balance_;
};

}  // namespace powertrace
