// SPDX-License-Identifier: Apache-2.0
//
// Windows as columns: like numbers lie together, so that they compress. A payload is a count of
// windows, sockets and zones, and the columns one after the other, each with its length; later
// versions may add columns at the end. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/window.hpp"
#include "record/bytes.hpp"
#include "record/content.hpp"

namespace powertrace::record {

// In this order in the payload.
enum Column : std::size_t {
  kNumbers,       // window number, from the one before
  kStarts,        // start, from the end of the one before
  kLengths,       // end - start, from the one before
  kTaskCounts,    // tasks in the window
  kCapacities,    // per socket: capacity_ns, from the window before
  kLost,          // per socket: lost_ns
  kStatuses,      // per zone: ZoneStatus
  kErrnos,        // per zone whose status is not kOk
  kEnergies,      // per zone: energy_nj, from the window before
  kDurations,     // per zone: duration_ns, from the window's length
  kTaskIds,       // ascending, each from the one before in its window
  kRunTimes,      // run_ns
  kSwitches,      // switches
  kCountedTimes,  // counted_ns
  kCycles,        // cycles, where counted_ns is not 0
  kInstructions,  // the same
  kColumns,
};

class WindowWriter {
 public:
  // `ids` are the tasks of window.tasks, in the same order.
  void add(const Window& window, std::span<const Id> ids);
  [[nodiscard]] std::size_t windows() const { return windows_; }
  [[nodiscard]] std::size_t size() const;  // about the payload's
  // The payload; the next one begins.
  std::string take();

 private:
  std::array<ByteWriter, kColumns> columns_;
  std::vector<std::size_t> order_;  // scratch
  std::size_t windows_ = 0;
  std::size_t sockets_ = 0;
  Window before_;  // without its tasks
};

// One window after the other, in the order in which they were written.
class WindowCursor {
 public:
  WindowCursor() = default;
  // The payload must outlive the cursor. ok() is false at once if it does not hold together.
  WindowCursor(std::string_view payload, const Meta& meta);

  // Fills everything of `window` but what names a task: tasks hold amounts only and `ids` says
  // whose they are. False: there are no more, or, if not ok(), what follows is damaged.
  bool next(Window& window, std::vector<Id>& ids);
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  bool read_head(Window& window);
  bool read_zones(Window& window);
  bool read_tasks(Window& window, std::vector<Id>& ids);

  std::vector<ByteReader> columns_;
  std::uint64_t left_ = 0;
  Window before_;
  bool ok_ = true;
};

}  // namespace powertrace::record
