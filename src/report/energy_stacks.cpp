// SPDX-License-Identifier: Apache-2.0
#include "report/energy_stacks.hpp"

#include <algorithm>
#include <utility>

namespace powertrace::report {
namespace {

constexpr std::uint64_t kPeriodNs = 1'000'000'000;

}  // namespace

void EnergyStacks::follow_epoch() {
  if (epoch_ != reader_.epoch()) {
    epoch_ = reader_.epoch();
    task_subjects_.clear();
    frame_places_.clear();
    id_stacks_.clear();
  }
}

std::size_t EnergyStacks::subject(record::Id id) {
  if (id < task_subjects_.size() && task_subjects_[id] != kNone) {
    return task_subjects_[id];
  }
  const record::TaskDef& task = *reader_.tables().task(id);
  task_subjects_.resize(std::max<std::size_t>(task_subjects_.size(), std::size_t{id} + 1), kNone);
  const auto [at, fresh] = subject_ids_.try_emplace({task.task, task.cgroup_id}, subjects_.size());
  if (fresh) {
    subjects_.emplace_back();
    period_.emplace_back();
    rest_.emplace_back();
  }
  subjects_[at->second] = {task.task,
                           task.tgid,
                           task.comm,
                           task.selected,
                           reader_.tables().process(task),
                           reader_.tables().cgroup(task)};
  return task_subjects_[id] = at->second;
}

std::size_t EnergyStacks::place(record::Id id) {
  const auto [known, added] = frame_places_.try_emplace(id, 0);
  if (!added) {
    return known->second;
  }
  Place place;
  if (const record::Frame* frame = reader_.tables().frame(id)) {
    place.offset = frame->offset;
    if (const record::CodeFile* file = reader_.tables().file(frame->file)) {
      place.file = *file;
    }
  }
  place.name = reader_.tables().name(id);
  const auto [at, fresh] = place_ids_.try_emplace(
      std::tuple(place.file.path, place.file.build_id, place.file.tgid, place.offset),
      places_.size());
  if (fresh) {
    places_.push_back(std::move(place));
  }
  return known->second = at->second;
}

std::size_t EnergyStacks::stack(record::Id id) {
  if (id < id_stacks_.size() && id_stacks_[id] != kNone) {
    return id_stacks_[id];
  }
  std::vector<std::size_t> places;
  for (const record::Id frame : reader_.tables().stack(id)) {
    places.push_back(place(frame));
  }
  if (places.empty()) {
    return kUnsampled;  // it could not be walked, or its definition is lost
  }
  id_stacks_.resize(std::max<std::size_t>(id_stacks_.size(), std::size_t{id} + 1), kNone);
  const auto [at, fresh] = stack_ids_.try_emplace(places, stacks_.size());
  if (fresh) {
    stacks_.push_back(std::move(places));
  }
  return id_stacks_[id] = at->second;
}

std::size_t EnergyStacks::cell(std::size_t subject, std::size_t stack) {
  const auto [at, added] =
      cell_ids_.try_emplace(std::uint64_t{subject} << 32U | stack, cells_.size());
  if (added) {
    cells_.push_back({subject, stack, 0, 0, 0});
  }
  return at->second;
}

void EnergyStacks::merge(std::vector<Weight>& weights) {
  std::sort(weights.begin(), weights.end(),
            [](const Weight& a, const Weight& b) { return a.cell < b.cell; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (kept > 0 && weights[kept - 1].cell == weights[i].cell) {
      weights[kept - 1].samples += weights[i].samples;
    } else {
      weights[kept++] = weights[i];
    }
  }
  weights.resize(kept);
}

// Over its samples; false: there are none.
bool EnergyStacks::divide(Account& account) {
  if (account.samples.empty()) {
    return false;
  }
  merge(account.samples);
  weights_.clear();
  for (const Weight& weight : account.samples) {
    weights_.push_back(weight.samples);
  }
  energies_.resize(weights_.size());
  times_.resize(weights_.size());
  if (!divide_exactly(account.energy_nj, weights_, energies_) ||
      !divide_exactly(account.run_ns, weights_, times_)) {
    return false;
  }
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    const auto [cell, samples] = account.samples[i];
    if (keep_samples_) {
      due_[cell] = {energies_[i], samples};
    }
    cells_[cell].energy_nj += energies_[i];
    cells_[cell].run_ns += times_[i];
  }
  return true;
}

// What cells got goes on to the samples it was divided over: all of theirs from `first` on.
void EnergyStacks::divide_cells(std::size_t first) {
  for (std::size_t i = first; !due_.empty() && i < samples_.size(); ++i) {
    const auto due = due_.find(samples_[i].cell);
    if (due != due_.end() && due->second.samples > 0) {
      const std::int64_t part =
          due->second.energy_nj / static_cast<std::int64_t>(due->second.samples--);
      due->second.energy_nj -= part;
      samples_[i].energy_nj += part;
    }
  }
  due_.clear();
}

void EnergyStacks::add(const Attribution& attribution) {
  follow_epoch();
  const Window& window = reader_.window();
  const std::vector<Zone>& zones = reader_.meta().zones;
  start_ns_ = start_ns_ == 0 ? window.start_ns : start_ns_;
  end_ns_ = window.end_ns;
  for (std::size_t zone = 0; zone < zones.size(); ++zone) {
    idle_nj_ += zones[zone].in_total ? attribution.remainders[zone].idle_nj : 0;
    unattributed_nj_ += zones[zone].in_total ? attribution.remainders[zone].unattributed_nj : 0;
  }
  const std::size_t first_sample = samples_.size();
  std::unordered_map<std::size_t, Account> here;  // subjects with samples in this window
  for (const record::Sample& sample : reader_.samples()) {
    if (reader_.tables().task(sample.task) != nullptr) {
      const std::size_t whose = subject(sample.task);
      const std::size_t where = cell(whose, stack(sample.stack));
      ++cells_[where].samples;
      if (keep_samples_) {
        samples_.push_back({sample.time_ns, where, 0});
      }
      here[whose].samples.push_back({where, 1});
      period_[whose].samples.push_back({where, 1});
    }
  }
  for (std::size_t i = 0; i < window.tasks.size(); ++i) {
    std::int64_t energy_nj = 0;
    for (std::size_t zone = 0; zone < zones.size(); ++zone) {
      energy_nj += zones[zone].in_total ? attribution.task(i)[zone] : 0;
    }
    const std::size_t whose = subject(reader_.ids()[i]);
    const auto sampled = here.find(whose);
    Account& account = sampled == here.end() ? period_[whose] : sampled->second;
    account.energy_nj += energy_nj;
    account.run_ns += static_cast<std::int64_t>(window.tasks[i].run_ns);
  }
  for (auto& [whose, account] : here) {
    divide(account);
  }
  divide_cells(first_sample);
  if (window.end_ns >= period_start_ns_ + kPeriodNs) {
    settle();
    period_start_ns_ = window.end_ns;
  }
}

void EnergyStacks::settle() {
  for (std::size_t i = 0; i < period_.size(); ++i) {
    Account& account = period_[i];
    if (!divide(account)) {
      rest_[i].energy_nj += account.energy_nj;
      rest_[i].run_ns += account.run_ns;
    }
    account.energy_nj = account.run_ns = 0;
    account.samples.clear();
  }
  divide_cells(period_first_);
  period_first_ = samples_.size();
}

void EnergyStacks::finish() {
  settle();
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    if (cells_[i].samples > 0) {
      rest_[cells_[i].subject].samples.push_back({i, cells_[i].samples});
    }
  }
  for (std::size_t i = 0; i < rest_.size(); ++i) {
    if ((rest_[i].energy_nj != 0 || rest_[i].run_ns != 0) && !divide(rest_[i])) {
      StackEnergy& unsampled = cells_[cell(i, kUnsampled)];
      unsampled.energy_nj += rest_[i].energy_nj;
      unsampled.run_ns += rest_[i].run_ns;
    }
    rest_[i] = Account();
  }
  divide_cells(0);
}

}  // namespace powertrace::report
