// SPDX-License-Identifier: Apache-2.0
#include "report/timeline.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace powertrace::report {
namespace {

constexpr std::size_t kMaxSteps = 16384;

}  // namespace

std::string TimelineProcess::name() const {
  return fmt::format("{} [{}]", process->identity->comm, pid);
}

std::vector<std::int64_t> TimelineProcess::energies(std::size_t count) const {
  std::vector<std::int64_t> result(count);
  for (const auto& [step, energy] : steps) {
    result[step] = energy;
  }
  return result;
}

// Two steps become one.
void Timeline::halve() {
  step_ns *= 2;
  const std::size_t count = (ends_ns.size() + 1) / 2;
  for (std::size_t step = 0; step < count; ++step) {
    ends_ns[step] = ends_ns[std::min(2 * step + 1, ends_ns.size() - 1)];
  }
  for (std::vector<std::int64_t>& zone : zones) {
    for (std::size_t step = 0; step < zone.size(); ++step) {
      const std::int64_t energy = std::exchange(zone[step], 0);
      zone[step / 2] += energy;
    }
    zone.resize(count);
  }
  ends_ns.resize(count);
  for (auto& [id, process] : processes) {
    std::vector<std::pair<std::size_t, std::int64_t>> merged;
    for (const auto& [step, energy] : process.steps) {
      if (!merged.empty() && merged.back().first == step / 2) {
        merged.back().second += energy;
      } else {
        merged.emplace_back(step / 2, energy);
      }
    }
    process.steps = std::move(merged);
  }
}

void Timeline::add(const record::Reader& reader, const Attribution& attribution) {
  const Window& window = reader.window();
  const std::vector<Zone>& all = reader.meta().zones;
  zones.resize(all.size());
  // A step of several windows ends with its last one.
  const bool grow = ends_ns.size() > 1 && window.end_ns - ends_ns[ends_ns.size() - 2] < step_ns;
  if (ends_ns.empty()) {
    start_ns = window.start_ns;
  }
  if (!grow) {
    if (ends_ns.size() == kMaxSteps) {
      halve();
    }
    ends_ns.push_back(0);
  }
  ends_ns.back() = window.end_ns;
  const std::size_t step = ends_ns.size() - 1;
  for (std::size_t zone = 0; zone < all.size(); ++zone) {
    zones[zone].resize(ends_ns.size());
    zones[zone][step] += usable_energy_nj(window.zones[zone]);
  }
  for (std::size_t i = 0; i < window.tasks.size(); ++i) {
    const record::TaskDef& task = *reader.tables().task(reader.ids()[i]);
    std::int64_t energy_nj = 0;
    for (std::size_t zone = 0; zone < all.size(); ++zone) {
      energy_nj += all[zone].in_total ? attribution.task(i)[zone] : 0;
    }
    if (!task.selected || energy_nj == 0) {
      continue;
    }
    auto life = reader.tables().process(task);
    TimelineProcess& process = processes[life->identity->task];
    process.pid = task.tgid;
    process.process = std::move(life);
    process.energy_nj += energy_nj;
    if (process.steps.empty() || process.steps.back().first != step) {
      process.steps.emplace_back(step, 0);
    }
    process.steps.back().second += energy_nj;
  }
  for (const record::Slice& slice : reader.slices()) {
    slices.push_back(slice);
  }
  if (reader.meta().slices) {
    for (const TaskUse& use : window.tasks) {
      thread_names[use.task.pid] = comm_view(use.comm);
    }
  }
}

std::vector<const TimelineProcess*> Timeline::top(std::size_t count) const {
  std::vector<const TimelineProcess*> result;
  for (const auto& [id, process] : processes) {
    result.push_back(&process);
  }
  std::stable_sort(result.begin(), result.end(),
                   [](const auto* a, const auto* b) { return a->energy_nj > b->energy_nj; });
  result.resize(std::min(result.size(), count));
  return result;
}

}  // namespace powertrace::report
