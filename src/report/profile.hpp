// SPDX-License-Identifier: Apache-2.0
//
// A recording's energy by named stack: what the exports write. Passive data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "record/content.hpp"
#include "report/energy_stacks.hpp"
#include "report/symbolizer.hpp"

namespace powertrace::report {

struct Profile {
  record::Meta meta;
  std::uint64_t duration_ns = 0;
  std::vector<Subject> subjects;
  std::vector<Function> functions;
  std::vector<std::vector<std::size_t>> stacks;  // root first, indices into functions
  std::vector<StackEnergy> cells;
  std::vector<TimedSample> samples;  // if they were kept
  std::int64_t idle_nj = 0;
  std::int64_t unattributed_nj = 0;
  std::vector<std::string> hints;  // what the stacks lack, a sentence each
};

Profile make_profile(const record::Meta& meta, EnergyStacks&& stacks, Symbolizer& symbolizer);

}  // namespace powertrace::report
