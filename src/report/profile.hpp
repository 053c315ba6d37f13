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

Profile make_profile(const record::Meta& meta, const EnergyStacks& stacks, Symbolizer& symbolizer);

// One path from the root (pod or container, comm, functions) with its energy. Paths are unique and
// sorted; [idle], [unattributed] and [others] (not of the recording's focus) are paths of their
// own.
struct PathEnergy {
  std::vector<std::string> path;
  std::int64_t energy_nj = 0;
  std::int64_t run_ns = 0;
  std::uint64_t samples = 0;
};
std::vector<PathEnergy> path_energies(const Profile& profile);

// Energy by function: its own and with all that it called.
struct FunctionEnergy {
  std::string name;
  std::string module;
  std::int64_t self_nj = 0;
  std::int64_t total_nj = 0;
  std::int64_t run_ns = 0;
  std::uint64_t samples = 0;
};
// Sorted by own energy; `callers`: a row per caller and function. The own energies add up to all.
std::vector<FunctionEnergy> function_energies(const Profile& profile, bool callers);

std::string functions_table(const Profile& profile,
                            const std::vector<FunctionEnergy>& rows,
                            std::size_t top);
std::string functions_csv(const Profile& profile, const std::vector<FunctionEnergy>& rows);
std::string functions_json(const Profile& profile, const std::vector<FunctionEnergy>& rows);

}  // namespace powertrace::report
