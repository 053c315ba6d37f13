// SPDX-License-Identifier: Apache-2.0
//
// Energy over time, per zone and per process, in steps of at least 10 ms; of a long recording they
// are longer, so that there are never many. Single-threaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model/attribution.hpp"
#include "record/reader.hpp"

namespace powertrace::report {

struct TimelineProcess {
  std::uint32_t pid = 0;
  std::shared_ptr<const record::ProcessLife> process;
  std::int64_t energy_nj = 0;                               // all
  std::vector<std::pair<std::size_t, std::int64_t>> steps;  // step and nJ, where it is not 0

  // "make [4711]".
  [[nodiscard]] std::string name() const;
  // By step.
  [[nodiscard]] std::vector<std::int64_t> energies(std::size_t count) const;
};

struct Timeline {
  std::uint64_t start_ns = 0;                    // CLOCK_MONOTONIC
  std::vector<std::uint64_t> ends_ns;            // of each step
  std::vector<std::vector<std::int64_t>> zones;  // [zone][step]
  std::map<TaskId, TimelineProcess> processes;   // of the focus
  std::vector<record::Slice> slices;
  std::map<std::uint32_t, std::string> thread_names;  // by tid, of slices

  std::uint64_t step_ns = 10'000'000;

  // The reader's window.
  void add(const record::Reader& reader, const Attribution& attribution);
  // Those with the most energy, largest first.
  [[nodiscard]] std::vector<const TimelineProcess*> top(std::size_t count) const;

 private:
  void halve();
};

struct Profile;

// Processed profile, version 57: a power counter per zone and per top process, and stack samples
// whose weight is microjoules.
std::string firefox(const Profile& profile, const Timeline& timeline, std::size_t processes);

// Counters and, if they were recorded, slices for Perfetto and chrome://tracing.
std::string chrome(const Profile& profile, const Timeline& timeline, std::size_t processes);

}  // namespace powertrace::report
