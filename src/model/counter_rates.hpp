// SPDX-License-Identifier: Apache-2.0
//
// Cycles and instructions of a whole run from the part of it that was counted. The one place that
// guesses, so that weights and reported totals cannot disagree. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/window.hpp"

namespace powertrace {

struct CounterEstimate {
  double cycles = 0;
  double instructions = 0;
};

// The counter rates of one window. Refers to the window's tasks: use it while they live.
class CounterRates {
 public:
  explicit CounterRates(const Window& window);

  // False: no counter was read in this window, and every estimate is 0.
  [[nodiscard]] bool any() const { return all_.counted_ns > 0; }

  // A counted task: its own counts x run_ns / counted_ns. Any other: run_ns x the rate counted in
  // this window for the same comm, else the same cgroup, else the same socket, else all.
  [[nodiscard]] CounterEstimate estimate(const TaskUse& task) const;

  // Standard deviation of the counted tasks' cycles per ns over their mean, weighted by counted_ns.
  [[nodiscard]] double spread() const;

 private:
  // Wide integers, so that the sums do not depend on the order of the tasks.
  __extension__ using Sum = unsigned __int128;
  struct Rate {
    Sum counted_ns = 0;
    Sum cycles = 0;
    Sum instructions = 0;
    void add(const TaskUse& task);
  };
  [[nodiscard]] const Rate& rate_for(const TaskUse& task) const;

  const Window& window_;
  std::unordered_map<std::string_view, Rate> by_comm_;
  std::unordered_map<std::uint64_t, Rate> by_cgroup_;
  std::unordered_map<std::int32_t, Rate> by_socket_;
  Rate all_;
};

}  // namespace powertrace
