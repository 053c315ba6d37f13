// SPDX-License-Identifier: Apache-2.0
//
// Writes power limits of package zones, and sees to it that they are put back: whoever owns an
// Actuator holds the writer's lock, has the originals on disk, and restores them when it goes.
// One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "capping/restore.hpp"
#include "capping/state_file.hpp"
#include "capping/sysfs_io.hpp"
#include "capping/zones.hpp"

namespace powertrace {

enum class ZoneHealth : std::uint8_t {
  kOk,
  kLocked,       // the firmware refuses writes: left for good
  kIneffective,  // does not keep what is written: restored and left for good
  kContended,    // somebody else writes it too: left for a while
  kGone,
  kRefused,  // could not be controlled from the start
};
std::string_view zone_health_name(ZoneHealth health);

struct ActuatorOptions {
  bool with_short_term = false;  // PL2 follows PL1 in its original proportion
  double backoff_s = 60;         // from another writer, doubling up to an hour
};

struct ZoneView {
  std::string name;
  ZoneHealth health = ZoneHealth::kOk;
  std::string reason;
  std::uint64_t original_uw = 0;
  std::uint64_t limit_uw = 0;  // in force, as far as we know
};

struct ActuatorCounts {
  std::uint64_t writes = 0;
  std::uint64_t contention = 0;
  std::map<std::string, std::uint64_t> errors;    // by reason
  std::map<std::string, std::uint64_t> restores;  // by trigger
};

class Actuator {
 public:
  // Takes the lock, puts back what a crashed predecessor left, and saves the originals. Writes no
  // limit. kUnsupported if no zone can be controlled; kBusy if another writer runs.
  static Result<std::unique_ptr<Actuator>> open(SysfsIo& io,
                                                const SysRoot& root,
                                                const StateDir& dir,
                                                std::optional<std::uint64_t> user_max_uw,
                                                const ActuatorOptions& options);
  Actuator(const Actuator&) = delete;
  Actuator& operator=(const Actuator&) = delete;
  ~Actuator();  // restores

  // The sums over all zones that can be controlled, as found: what a node budget is divided by.
  [[nodiscard]] double original_w() const;
  [[nodiscard]] double reference_w() const;

  // Divides a budget of the node over its zones by their original limits and writes what changed.
  // kUsage, and nothing is written, for a budget outside of what was found.
  Status apply(double now_s, double node_w);

  // Puts everything back and keeps the zones under watch for the next apply().
  void restore(const std::string& trigger);

  [[nodiscard]] std::vector<ZoneView> zones() const;
  [[nodiscard]] const ActuatorCounts& counts() const { return counts_; }
  // Zones that still take limits, now or after a back-off.
  [[nodiscard]] bool any_usable() const;
  [[nodiscard]] const RestoreReport& recovered() const { return recovered_; }

 private:
  struct Controlled;
  Actuator(SysfsIo& io, StateDir dir, ActuatorOptions options);

  Status save();
  void close();
  void set_limit(Controlled& zone, double now_s, std::uint64_t limit_uw);
  bool watch(Controlled& zone, double now_s);
  Status write_pair(Controlled& zone, std::uint64_t long_uw, std::optional<std::uint64_t> short_uw);
  Status write_one(const Controlled& zone, bool long_term, std::uint64_t limit_uw);
  void give_up(Controlled& zone, ZoneHealth health, std::string reason, const char* error);
  void failed(Controlled& zone, const Error& error);

  SysfsIo& io_;
  StateDir dir_;
  ActuatorOptions options_;
  UniqueFd lock_;
  CapState state_;
  std::vector<Controlled> zones_;  // parallel to state_.zones
  std::vector<PowerZone> refused_;
  ActuatorCounts counts_;
  RestoreReport recovered_;
};

}  // namespace powertrace
