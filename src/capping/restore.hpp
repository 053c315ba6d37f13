// SPDX-License-Identifier: Apache-2.0
//
// Puts back what a state file says was found. Idempotent; never touches a limit that somebody else
// has set since.
#pragma once

#include <string>
#include <vector>

#include "capping/state_file.hpp"
#include "capping/sysfs_io.hpp"

namespace powertrace {

struct RestoreReport {
  int restored = 0;    // limits written back
  int as_found = 0;    // were what they should be
  int left_alone = 0;  // somebody else has written them
  int failed = 0;
  std::vector<std::string> lines;  // one per zone, for people
};

// One zone, with the lock held. `saved` says afterwards what is still ours.
void restore_zone(SysfsIo& io, SavedZone& saved, RestoreReport& report);

// All of the state file, which is removed unless something failed. The caller holds the lock.
Result<RestoreReport> restore_state(SysfsIo& io, const StateDir& dir, const SysRoot& root);

}  // namespace powertrace
