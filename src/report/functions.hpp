// SPDX-License-Identifier: Apache-2.0
//
// Energy by function, and as tables. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "report/profile.hpp"

namespace powertrace::report {

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
