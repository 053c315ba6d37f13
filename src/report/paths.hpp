// SPDX-License-Identifier: Apache-2.0
//
// A profile by path from the root: pod or container, comm, functions. What folded stacks,
// speedscope and flame graphs show. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "report/profile.hpp"

namespace powertrace::report {

struct Path {
  std::vector<std::uint32_t> names;  // root first
  std::int64_t energy_nj = 0;
};

// Unique and sorted; [idle], [unattributed] and [others] (not of the recording's focus) are paths
// of their own.
struct Paths {
  std::vector<std::string> names;  // sorted
  std::vector<Path> paths;
};
Paths path_energies(const Profile& profile);

}  // namespace powertrace::report
