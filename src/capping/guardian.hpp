// SPDX-License-Identifier: Apache-2.0
//
// A small second process that restores the limits when the controller dies without doing so itself
// (SIGKILL, a crash), and ends a controller that hangs. Start it before any thread and before the
// lock is taken. In a container that is killed as a whole it dies too; then the next start
// restores.
#pragma once

#include <cstdint>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "capping/state_file.hpp"

namespace powertrace {

class Guardian {
 public:
  // `lease_ns`: a controller that is silent for so long has failed.
  static Result<Guardian> start(const StateDir& dir, const SysRoot& root, std::uint64_t lease_ns);
  Guardian(Guardian&& other) noexcept;
  Guardian& operator=(Guardian&&) = delete;
  Guardian(const Guardian&) = delete;
  Guardian& operator=(const Guardian&) = delete;
  ~Guardian();  // the controller has restored; the guardian goes

  // "I am alive", more often than the lease.
  void beat() const;
  [[nodiscard]] int pid() const { return pid_; }

 private:
  Guardian(UniqueFd pipe, int pid) : pipe_(std::move(pipe)), pid_(pid) {}

  UniqueFd pipe_;
  int pid_ = 0;
};

}  // namespace powertrace
