// SPDX-License-Identifier: Apache-2.0
//
// What was found before the first write and what has been written since, on disk before it is
// written to the hardware, so that another process can put everything back. Reboots bring the
// firmware's limits back, so the state belongs in /run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "base/sysroot.hpp"

namespace powertrace {

struct SavedLimit {
  int index = 0;
  std::string original;             // the file's text
  std::vector<std::uint64_t> ours;  // what we wrote or are about to write; empty: nothing
};

struct SavedZone {
  std::string dir;
  std::string name;
  std::string enabled;  // the file's text
  bool enabled_by_us = false;
  SavedLimit long_term;
  std::optional<SavedLimit> short_term;
  std::string window;  // of the long-term limit; never written, for people
};

struct CapState {
  std::string boot_id;
  std::int64_t pid = 0;
  std::string started;  // RFC 3339
  std::vector<SavedZone> zones;
};

class StateDir {
 public:
  explicit StateDir(std::string dir) : dir_(std::move(dir)) {}

  [[nodiscard]] std::string state_path() const { return dir_ + "/powercap-state.json"; }
  [[nodiscard]] std::string lock_path() const { return dir_ + "/powercap.lock"; }
  [[nodiscard]] std::string status_path() const { return dir_ + "/powercap-status.json"; }

  // The one writer's lock, waiting up to `wait_ms`. kBusy: somebody else has it, and who.
  [[nodiscard]] Result<UniqueFd> lock(int wait_ms) const;

  // The process that has it, as the kernel says: the number in the file may be of another PID
  // namespace. nullopt: none has it that we could see.
  [[nodiscard]] std::optional<int> lock_holder() const;

  [[nodiscard]] Status save(const CapState& state) const;
  // nullopt: there is none. kMalformed: there is one that cannot be read.
  [[nodiscard]] Result<std::optional<CapState>> load() const;
  [[nodiscard]] Status remove() const;

 private:
  std::string dir_;
};

// Of the running kernel; empty if procfs does not say.
std::string boot_id(const SysRoot& root);

}  // namespace powertrace
