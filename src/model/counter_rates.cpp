// SPDX-License-Identifier: Apache-2.0
#include "model/counter_rates.hpp"

#include <algorithm>
#include <cmath>

namespace powertrace {

void CounterRates::Rate::add(const TaskUse& task) {
  counted_ns += task.counted_ns;
  cycles += task.cycles;
  instructions += task.instructions;
}

CounterRates::CounterRates(const Window& window) : window_(window) {
  bool guesses = false;
  for (const TaskUse& task : window.tasks) {
    if (task.counted_ns > 0) {
      all_.add(task);
    } else {
      guesses = guesses || task.run_ns > 0;
    }
  }
  if (!guesses || !any()) {
    return;  // nobody will ask
  }
  for (const TaskUse& task : window.tasks) {
    if (task.counted_ns > 0) {
      by_comm_[comm_view(task.comm)].add(task);
      by_cgroup_[task.cgroup_id].add(task);
      by_socket_[task.socket].add(task);
    }
  }
}

const CounterRates::Rate& CounterRates::rate_for(const TaskUse& task) const {
  if (const auto comm = by_comm_.find(comm_view(task.comm)); comm != by_comm_.end()) {
    return comm->second;
  }
  if (const auto cgroup = by_cgroup_.find(task.cgroup_id); cgroup != by_cgroup_.end()) {
    return cgroup->second;
  }
  if (const auto socket = by_socket_.find(task.socket); socket != by_socket_.end()) {
    return socket->second;
  }
  return all_;
}

CounterEstimate CounterRates::estimate(const TaskUse& task) const {
  if (task.run_ns == 0 || !any()) {
    return {};
  }
  const auto run_ns = static_cast<double>(task.run_ns);
  if (task.counted_ns > 0) {
    const auto counted_ns = static_cast<double>(task.counted_ns);
    return {static_cast<double>(task.cycles) * run_ns / counted_ns,
            static_cast<double>(task.instructions) * run_ns / counted_ns};
  }
  const Rate& rate = rate_for(task);
  const auto counted_ns = static_cast<double>(rate.counted_ns);
  return {static_cast<double>(rate.cycles) * run_ns / counted_ns,
          static_cast<double>(rate.instructions) * run_ns / counted_ns};
}

double CounterRates::spread() const {
  if (!any() || all_.cycles == 0) {
    return 0;
  }
  const auto all_counted_ns = static_cast<double>(all_.counted_ns);
  const double mean = static_cast<double>(all_.cycles) / all_counted_ns;
  double squares = 0;
  for (const TaskUse& task : window_.tasks) {
    if (task.counted_ns > 0) {
      const auto counted_ns = static_cast<double>(task.counted_ns);
      const double off = static_cast<double>(task.cycles) / counted_ns - mean;
      squares += counted_ns * off * off;
    }
  }
  return std::sqrt(squares / all_counted_ns) / mean;
}

}  // namespace powertrace
