// SPDX-License-Identifier: Apache-2.0
//
// A process and all that came from it, told from lifecycle events: children, their children, also
// those that made themselves daemons or sessions, because who forked whom never changes. A lost
// fork event loses that branch; whoever shows the result must say so. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "model/window.hpp"
#include "powertrace/abi.h"

namespace powertrace {

class Descendants {
 public:
  // `root` is a living process; events from before it was born must not be shown any more.
  explicit Descendants(std::uint32_t root);

  // A record of the ring buffer, in order. Records other than forks and exits, and such as are cut
  // short, change nothing.
  void on_event(const pt_event& event, std::size_t size);

  // Whether the task that ran is of the family; if so, its thread is counted. A process that ended
  // belongs to it until the end of the window after the one in which it did: the last of its time
  // comes late.
  bool saw(const TaskUse& use);
  // Whether a process of that number is or was of the family: maybe, or surely not.
  [[nodiscard]] bool knows(std::uint32_t tgid) const { return by_tgid_.contains(tgid); }
  void end_window();

  [[nodiscard]] std::uint64_t processes() const { return processes_; }  // ever, with the root
  [[nodiscard]] std::uint64_t threads() const { return threads_; }      // ever, those that ran
  [[nodiscard]] std::uint64_t living() const { return living_; }        // now, with the root

 private:
  static constexpr std::uint64_t kForever = std::numeric_limits<std::uint64_t>::max();

  // One bearer of a pid: whoever started in [start_ns, next_start_ns) with that tgid.
  struct Process {
    std::uint64_t start_ns = 0;
    std::uint64_t next_start_ns = kForever;  // the pid's next bearer, of the family or not
    bool ended = false;
    std::unordered_set<TaskId> threads;
  };

  void add(std::uint32_t tgid, std::uint64_t start_ns);
  void end(std::uint32_t tgid, Process& process);
  Process* living_bearer(std::uint32_t tgid);
  void on_fork(const pt_event_process& child);

  std::unordered_map<std::uint32_t, std::vector<Process>> by_tgid_;  // oldest bearer first
  std::vector<TaskId> ended_;                                        // in the window that is open
  std::vector<TaskId> ended_before_;                                 // in the one before it
  std::uint64_t processes_ = 0;
  std::uint64_t threads_ = 0;
  std::uint64_t living_ = 0;
};

}  // namespace powertrace
