// SPDX-License-Identifier: Apache-2.0
//
// The rows of the table: a level of the history, filtered, sorted, and if asked for as a tree whose
// parents' sums include their children. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cli/top/history.hpp"

namespace powertrace::top {

enum class Column : std::uint8_t {
  kPid,
  kUser,
  kWatts,
  kPlusMinus,
  kEnergy,  // since powertrace started
  kCpu,
  kShare,
  kIpc,
  kTasks,
  kCommand,
  kGroup,
};

struct TopRow {
  std::string key;            // row_key()
  Row row;                    // of the latest interval; all figures 0 if it did not run
  std::int64_t total_nj = 0;  // since powertrace started
  bool ran = false;           // in the latest interval
  // In a tree:
  int depth = 0;
  bool has_children = false;
  bool collapsed = false;
  std::string branches;  // one of "| ", "  ", "+-" and "`-" per step of depth
};

struct RowQuery {
  Level level = Level::kProcess;
  Column sort = Column::kWatts;
  bool reverse = false;
  bool tree = false;
  bool all = false;  // also rows that did not run in the latest interval
  std::string_view filter;
  const std::set<std::string>* collapsed = nullptr;  // keys
  // A process that powertrace has never seen running, for a tree without gaps; may be empty.
  std::function<std::shared_ptr<const ProcessIdentity>(std::uint32_t pid)> find_process;
};

// Trees exist of processes and of cgroups.
bool has_tree(Level level);

std::vector<TopRow> build_rows(const History& history, const RowQuery& query);

// True if `a` comes before `b` when sorting by `column`: figures largest first, text and pids in
// order. Ties go by energy of the interval, energy since the start, key.
bool row_before(const TopRow& a, const TopRow& b, Column column);

// For build_rows(): `rows` holds every row of the level, ran or not.
std::vector<TopRow> build_tree(std::vector<TopRow> rows, const RowQuery& query);

}  // namespace powertrace::top
