// SPDX-License-Identifier: Apache-2.0
//
// The reading half of HistoryDatabase.
#include <algorithm>
#include <array>
#include <functional>
#include <unordered_map>

#include <fmt/format.h>

#include "base/units.hpp"
#include "history/database.hpp"
#include "history/database_impl.hpp"

namespace powertrace {
namespace {

Usage scaled(Usage use, UtcMs part, UtcMs whole) {
  if (part == whole) {
    return use;
  }
  for (std::int64_t& nj : use.energy_nj) {
    nj = share(nj, part, whole);
  }
  use.run_ns = share(use.run_ns, part, whole);
  use.cycles = share(use.cycles, part, whole);
  use.instructions = share(use.instructions, part, whole);
  use.switches = share(use.switches, part, whole);
  use.cores_squared *= static_cast<double>(part) / static_cast<double>(whole);
  return use;
}

bool matches(const Workload& who, const WorkloadFilter& filter) {
  const auto is = [](const std::string& wanted, const std::string& value) {
    return wanted.empty() || wanted == value;
  };
  if (!is(filter.node, who.node) || !is(filter.name_space, who.name_space) ||
      !is(filter.pod, who.pod)) {
    return false;
  }
  if (filter.workload.empty()) {
    return true;
  }
  for (const Dimension dimension :
       {Dimension::kWorkload, Dimension::kPod, Dimension::kCgroup, Dimension::kContainer}) {
    const Workload group = group_of(who, dimension);
    if (group.kind != WorkloadKind::kOther && group_id(group, dimension) == filter.workload) {
      return true;
    }
  }
  return who.pod_uid == filter.workload;
}

// One part of the question: whole hours from the hours' table, or minutes.
struct Segment {
  TimeRange range;
  bool hours = false;
};

// Hours where they are fine enough or all that is left, minutes at the ends and for finer slots.
std::vector<Segment> divide(const EnergyQuery& query, UtcMs minutes_since) {
  const auto up = [](UtcMs time) { return (time + kHourMs - 1) / kHourMs * kHourMs; };
  std::vector<Segment> segments;
  const auto add = [&](UtcMs start, UtcMs end, bool hours) {
    if (start < end) {
      segments.push_back({{start, end}, hours});
    }
  };
  const UtcMs known = std::max(query.range.start, std::min(query.range.end, minutes_since));
  add(query.range.start, known, true);
  if (query.resolution_ms < kQuarterMs) {
    add(known, query.range.end, false);
    return segments;
  }
  const UtcMs first = std::min(up(known), query.range.end);
  const UtcMs last = std::max(first, query.range.end / kHourMs * kHourMs);
  add(known, first, false);
  add(first, last, true);
  add(last, query.range.end, false);
  return segments;
}

// Adds rows up into a table.
class Builder {
 public:
  Builder(const EnergyQuery& query, std::function<Result<Workload>(std::int64_t)> workload)
      : query_(query), workload_(std::move(workload)) {}

  // The group of a workload; -1: not asked for.
  Result<std::int64_t> group(std::int64_t id) {
    const auto known = by_id_.find(id);
    if (known != by_id_.end()) {
      return known->second;
    }
    PT_ASSIGN(const Workload who, workload_(id));
    std::int64_t index = -1;
    if (matches(who, query_.filter)) {
      const Workload group = query_.by ? group_of(who, *query_.by) : Workload{};
      const std::string key = query_.by ? fmt::format("{}\n{}\n{}", static_cast<int>(group.kind),
                                                      group.node, group_id(group, *query_.by))
                                        : "";
      const auto [found, is_new] = by_key_.try_emplace(key, table.groups.size());
      if (is_new) {
        table.groups.push_back({group, {}});
      }
      index = static_cast<std::int64_t>(found->second);
    }
    by_id_.emplace(id, index);
    return index;
  }

  std::size_t only_group() {
    if (table.groups.empty()) {
      table.groups.emplace_back();
    }
    return 0;
  }

  // [start, end) was used in; the part of it inside the range counts.
  void use(std::size_t group, UtcMs start, UtcMs end, const TimeRange& range, const Usage& use) {
    const UtcMs from = std::max(start, range.start);
    const UtcMs to = std::min(end, range.end);
    if (from < to) {
      table.groups[group].use += scaled(use, to - from, end - start);
    }
  }
  void energy(std::size_t group, UtcMs start, UtcMs end, const TimeRange& range, std::int64_t nj) {
    const UtcMs from = std::max(start, range.start);
    const UtcMs to = std::min(end, range.end);
    if (from >= to || nj == 0) {
      return;
    }
    // Rows come in the order of hours or minutes, so only an hour's four quarters are open.
    last_.resize(table.groups.size(), {SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX});
    std::size_t& last = last_[group][static_cast<std::size_t>(start / kQuarterMs % kQuarters)];
    if (last == SIZE_MAX || table.pieces[last].start != from) {
      last = table.pieces.size();
      table.pieces.push_back({static_cast<std::uint32_t>(group), from, to, 0});
    }
    table.pieces[last].energy_nj += share(nj, to - from, end - start);
  }
  void covered(UtcMs start, UtcMs end, const TimeRange& range, std::int64_t ms) {
    const UtcMs from = std::max(start, range.start);
    const UtcMs to = std::min(end, range.end);
    if (from < to && ms > 0) {
      table.covered.push_back({from, to, share(ms, to - from, end - start)});
    }
  }
  // The quarters of an hour, together where nobody asks for less.
  void hour(std::size_t group,
            std::int64_t number,
            const TimeRange& range,
            const SqlStatement& row,
            int column) {
    const UtcMs start = number * kHourMs;
    use(group, start, start + kHourMs, range, read_usage(row, column));
    const bool whole =
        query_.resolution_ms >= kHourMs && start >= range.start && start + kHourMs <= range.end;
    std::int64_t sum = 0;
    for (int quarter = 0; quarter < kQuarters; ++quarter) {
      const std::int64_t nj = row.integer(column + 9 + quarter);
      sum += nj;
      if (!whole) {
        const UtcMs at = start + quarter * kQuarterMs;
        energy(group, at, at + kQuarterMs, range, nj);
      }
    }
    if (whole) {
      energy(group, start, start + kHourMs, range, sum);
    }
  }

  EnergyTable table;

 private:
  const EnergyQuery& query_;
  std::function<Result<Workload>(std::int64_t)> workload_;
  std::unordered_map<std::int64_t, std::int64_t> by_id_;
  std::unordered_map<std::string, std::size_t> by_key_;
  std::vector<std::array<std::size_t, kQuarters>> last_;  // per group
};

constexpr const char* kHours = "SELECT start,workload," PT_USAGE_COLUMNS "," PT_QUARTER_COLUMNS
                               " FROM hour WHERE start>=?1 AND start<?2 ORDER BY start,workload";
constexpr const char* kHourTotals =
    "SELECT start,0," PT_USAGE_COLUMNS "," PT_QUARTER_COLUMNS "," PT_COVER_COLUMNS
    " FROM hour_total WHERE start>=?1 AND start<?2 ORDER BY start";
constexpr const char* kMinutes =
    "SELECT start,workload," PT_USAGE_COLUMNS
    " FROM minute WHERE start>=?1 AND start<?2 ORDER BY start,workload";
constexpr const char* kMinuteTotals = "SELECT start,0," PT_USAGE_COLUMNS
                                      ",covered,estimated FROM minute_total WHERE start>=?1 AND "
                                      "start<?2 ORDER BY start";

// Rows of workloads, or of the total, from one table.
Status read_rows(SqlDatabase& database, Builder& builder, const Segment& segment, bool totals) {
  const UtcMs unit = segment.hours ? kHourMs : kMinuteMs;
  PT_ASSIGN(SqlStatement rows,
            database.prepare(segment.hours ? (totals ? kHourTotals : kHours)
                                           : (totals ? kMinuteTotals : kMinutes)));
  rows.bind(1, segment.range.start / unit).bind(2, (segment.range.end + unit - 1) / unit);
  while (true) {
    PT_ASSIGN(const bool row, rows.step());
    if (!row) {
      return {};
    }
    std::int64_t group = 0;
    if (totals) {
      builder.only_group();
    } else {
      PT_ASSIGN(group, builder.group(rows.integer(1)));
    }
    if (group < 0) {
      continue;
    }
    const auto index = static_cast<std::size_t>(group);
    if (segment.hours) {
      builder.hour(index, rows.integer(0), segment.range, rows, 2);
    } else {
      const UtcMs start = rows.integer(0) * kMinuteMs;
      const Usage use = read_usage(rows, 2);
      builder.use(index, start, start + kMinuteMs, segment.range, use);
      builder.energy(index, start, start + kMinuteMs, segment.range, use.total_nj());
    }
  }
}

Status read_cover(SqlDatabase& database, Builder& builder, const Segment& segment) {
  const UtcMs unit = segment.hours ? kHourMs : kMinuteMs;
  PT_ASSIGN(SqlStatement rows, database.prepare(segment.hours ? kHourTotals : kMinuteTotals));
  rows.bind(1, segment.range.start / unit).bind(2, (segment.range.end + unit - 1) / unit);
  while (true) {
    PT_ASSIGN(const bool row, rows.step());
    if (!row) {
      return {};
    }
    const UtcMs start = rows.integer(0) * unit;
    if (segment.hours) {
      for (int quarter = 0; quarter < kQuarters; ++quarter) {
        const UtcMs at = start + quarter * kQuarterMs;
        builder.covered(at, at + kQuarterMs, segment.range, rows.integer(15 + quarter));
      }
    } else {
      builder.covered(start, start + kMinuteMs, segment.range, rows.integer(11));
    }
    builder.table.measured = builder.table.measured && rows.integer(segment.hours ? 19 : 12) == 0;
  }
}

}  // namespace

Result<Workload> HistoryDatabase::Impl::workload(std::int64_t id) {
  get_workload.bind(1, id);
  PT_ASSIGN(const bool found, get_workload.step());
  Workload who;
  if (found) {
    who.node = get_workload.text(0);
    who.kind = static_cast<WorkloadKind>(std::clamp<std::int64_t>(
        get_workload.integer(1), 0, static_cast<int>(WorkloadKind::kUnattributed)));
    who.cgroup = get_workload.text(2);
    who.user = get_workload.text(3);
    who.container_id = get_workload.text(4);
    who.container = get_workload.text(5);
    who.pod_uid = get_workload.text(6);
    who.pod = get_workload.text(7);
    who.name_space = get_workload.text(8);
    who.type_label = get_workload.text(9);
    get_workload.reset();
  }
  return who;
}

Result<EnergyTable> HistoryDatabase::energy(const EnergyQuery& query) {
  const std::lock_guard lock(impl_->mutex);
  SqlDatabase& database = impl_->database;
  PT_TRY(database.execute("BEGIN"));  // all statements see one state
  const auto read = [&]() -> Result<EnergyTable> {
    // Minutes are forgotten by whole hours: from the oldest one's hour on they are all there.
    PT_ASSIGN(const std::int64_t oldest,
              database.number("SELECT ifnull(min(start),-1) FROM minute_total"));
    const UtcMs minutes_since = oldest < 0 ? query.range.end : oldest / 60 * kHourMs;
    Builder builder(query, [this](std::int64_t id) { return impl_->workload(id); });
    const bool totals = !query.by && query.filter.empty();
    for (const Segment& segment : divide(query, minutes_since)) {
      PT_TRY(read_rows(database, builder, segment, totals));
      PT_TRY(read_cover(database, builder, segment));
    }
    return std::move(builder.table);
  };
  auto table = read();
  static_cast<void>(database.execute("COMMIT"));
  if (!table) {
    return tl::make_unexpected(with_context(table.error(), "history: reading " + impl_->path));
  }
  return table;
}

Result<std::vector<Activity>> HistoryDatabase::activity(TimeRange range,
                                                        UtcMs step_ms,
                                                        const WorkloadFilter& filter) {
  const std::lock_guard lock(impl_->mutex);
  EnergyQuery query;
  query.range = {range.start / kMinuteMs * kMinuteMs, range.end};
  query.by = Dimension::kWorkload;
  query.filter = filter;
  Builder builder(query, [this](std::int64_t id) { return impl_->workload(id); });
  PT_ASSIGN(SqlStatement rows, impl_->database.prepare(kMinutes));
  rows.bind(1, query.range.start / kMinuteMs).bind(2, query.range.end / kMinuteMs);
  const auto steps = static_cast<std::size_t>((range.end - range.start) / step_ms);
  std::vector<Activity> activities;
  while (true) {
    PT_ASSIGN(const bool row, rows.step());
    if (!row) {
      break;
    }
    PT_ASSIGN(const std::int64_t group, builder.group(rows.integer(1)));
    if (group < 0) {
      continue;
    }
    const auto index = static_cast<std::size_t>(group);
    if (index >= activities.size()) {
      activities.push_back({builder.table.groups[index].who, {}, std::vector<double>(steps), 0});
    }
    const Usage use = read_usage(rows, 2);
    activities[index].use += use;
    const auto step =
        static_cast<std::size_t>((rows.integer(0) * kMinuteMs - range.start) / step_ms);
    if (step < steps) {
      activities[index].cores[step] +=
          static_cast<double>(use.run_ns) / 1e6 / static_cast<double>(step_ms);
    }
  }
  PT_ASSIGN(SqlStatement total,
            impl_->database.prepare(
                "SELECT ifnull(sum(intervals),0) FROM minute_total WHERE start>=?1 AND start<?2"));
  total.bind(1, query.range.start / kMinuteMs).bind(2, query.range.end / kMinuteMs);
  PT_TRY(total.step());
  for (Activity& activity : activities) {
    activity.intervals = static_cast<double>(total.integer(0));
  }
  return activities;
}

}  // namespace powertrace
