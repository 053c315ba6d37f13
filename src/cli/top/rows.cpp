// SPDX-License-Identifier: Apache-2.0
#include "cli/top/rows.hpp"

#include <algorithm>
#include <utility>

namespace powertrace::top {
namespace {

// Its figures are of an interval that is over.
void clear_figures(Row& row) {
  row.energy_nj = 0;
  std::fill(row.zone_nj.begin(), row.zone_nj.end(), 0);
  row.plus_minus_nj = 0;
  row.run_ns = 0;
  row.counted_ns = 0;
  row.switches = 0;
  row.tasks = 0;
  row.cycles = 0;
  row.instructions = 0;
}

// -1: a first, 1: b first, 0: alike.
template <typename T>
int largest_first(const T& a, const T& b) {
  return a > b ? -1 : (a < b ? 1 : 0);
}
template <typename T>
int smallest_first(const T& a, const T& b) {
  return largest_first(b, a);
}

double instructions_per_cycle(const Row& row) {
  return row.cycles > 0 ? row.instructions / row.cycles : 0;
}

std::string_view group_of(const Row& row) {
  return row.cgroup ? std::string_view(row.cgroup->path) : std::string_view();
}

int compare(const TopRow& a, const TopRow& b, Column column) {
  switch (column) {
    case Column::kPid:
      return smallest_first(std::pair(a.row.pid, a.row.tid), std::pair(b.row.pid, b.row.tid));
    case Column::kUser:
      return smallest_first(a.row.process ? a.row.process->uid : UINT32_MAX,
                            b.row.process ? b.row.process->uid : UINT32_MAX);
    case Column::kPlusMinus:
      return largest_first(a.row.plus_minus_nj, b.row.plus_minus_nj);
    case Column::kEnergy:
      return largest_first(a.total_nj, b.total_nj);
    case Column::kCpu:
      return largest_first(a.row.run_ns, b.row.run_ns);
    case Column::kIpc:
      return largest_first(instructions_per_cycle(a.row), instructions_per_cycle(b.row));
    case Column::kTasks:
      return largest_first(a.row.tasks, b.row.tasks);
    case Column::kCommand:
      return smallest_first(a.row.name, b.row.name);
    case Column::kGroup:
      return smallest_first(group_of(a.row), group_of(b.row));
    case Column::kWatts:
    case Column::kShare:
      break;
  }
  return 0;
}

}  // namespace

bool has_tree(Level level) {
  return level == Level::kProcess || level == Level::kCgroup;
}

bool row_before(const TopRow& a, const TopRow& b, Column column) {
  if (const int order = compare(a, b, column); order != 0) {
    return order < 0;
  }
  if (a.row.energy_nj != b.row.energy_nj) {
    return a.row.energy_nj > b.row.energy_nj;
  }
  if (a.total_nj != b.total_nj) {
    return a.total_nj > b.total_nj;
  }
  return a.key < b.key;
}

std::vector<TopRow> build_rows(const History& history, const RowQuery& query) {
  const bool tree = query.tree && has_tree(query.level);
  std::vector<TopRow> rows;
  for (const auto& [key, track] : history.tracks(query.level)) {
    const bool ran = track.ran_in(history.interval());
    if (!tree && ((!ran && !query.all) || !row_matches(track.row, query.filter))) {
      continue;
    }
    TopRow& row = rows.emplace_back();
    row.key = key;
    row.row = track.row;
    row.total_nj = track.energy_nj;
    row.ran = ran;
    if (!ran) {
      clear_figures(row.row);
    }
  }
  if (tree) {
    return build_tree(std::move(rows), query);
  }
  std::sort(rows.begin(), rows.end(), [&](const TopRow& a, const TopRow& b) {
    return query.reverse ? row_before(b, a, query.sort) : row_before(a, b, query.sort);
  });
  return rows;
}

}  // namespace powertrace::top
