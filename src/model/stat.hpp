// SPDX-License-Identifier: Apache-2.0
//
// The energy of a command: what one run of it and its descendants used, of what the machine used
// meanwhile. StatMeter adds up the windows of one run; StatReport is what gets printed. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "model/attribution.hpp"
#include "model/descendants.hpp"
#include "model/ledger.hpp"
#include "model/snapshot.hpp"
#include "model/zone.hpp"

namespace powertrace {

// With one standard deviation.
struct Energy {
  std::int64_t nj = 0;
  double sigma_nj = 0;
};

struct StatZone {
  Energy command;
  Energy idle;
  Energy machine;                 // all of the zone
  std::uint64_t duration_ns = 0;  // of the windows in which the zone could be read
  ZoneStatus status = ZoneStatus::kOk;
  int sys_errno = 0;
};

struct StatRun {
  // What StatMeter knows. Sums are over the zones that count (in_total).
  Energy command;
  Energy idle;
  Energy machine;
  std::int64_t unattributed_nj = 0;
  std::vector<StatZone> zones;    // parallel to StatReport::zones
  std::uint64_t interval_ns = 0;  // of the windows: what the energies span
  std::uint64_t windows = 0;
  std::uint64_t run_ns = 0;  // CPU time of the command and its descendants
  std::uint64_t counted_ns = 0;
  double cycles = 0;  // 0: not counted
  double instructions = 0;
  std::uint64_t processes = 0;
  std::uint64_t threads = 0;
  std::uint64_t survivors = 0;  // descendants that lived on when the command had ended

  // What only the caller knows.
  std::uint64_t elapsed_ns = 0;  // from the command's release to its end
  std::uint64_t user_ns = 0;     // getrusage() of the command and the children it waited for
  std::uint64_t system_ns = 0;
  int exit_status = 0;  // as a shell gives it: 128 + signal if a signal ended it
  int signal = 0;       // 0: it ended by itself
  std::uint64_t lost_slices = 0;
  std::uint64_t lost_events = 0;
};

struct StatReport {
  std::vector<std::string> command;
  std::uint64_t realtime_ns = 0;  // CLOCK_REALTIME at the end
  std::uint64_t runs_wanted = 1;
  bool interrupted = false;  // fewer runs than wanted, because a signal asked to stop
  SourceInfo source;
  Model model = Model::kTime;
  IdlePolicy idle = IdlePolicy::kSeparate;
  bool idle_known = false;  // at the end
  std::string not_counted;  // why cycles or instructions are not; empty: both can be
  std::vector<Zone> zones;
  std::vector<StatRun> runs;  // at least one
};

class StatMeter {
 public:
  // Of a run whose command is the living process `root`.
  StatMeter(std::uint32_t root, std::vector<Zone> zones, double expected_error);

  // In the order in which the pipeline shows them: a window's events come before it.
  void on_event(const pt_event& event, std::size_t size) { family_.on_event(event, size); }
  void add(const Window& window, const Attribution& attribution);

  [[nodiscard]] StatRun result() const;

 private:
  Descendants family_;
  Ledger ledger_;  // one entry for the family, one for everything else
  std::vector<Zone> zones_;
  double expected_error_;
};

}  // namespace powertrace
