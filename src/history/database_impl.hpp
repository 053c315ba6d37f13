// SPDX-License-Identifier: Apache-2.0
//
// What the halves of HistoryDatabase share: the tables and the connection. Private to history/.
//
// Times are counted in minutes or hours since 1970. A total row per minute and hour answers
// questions about the whole machine without reading every workload; it is written in the same
// transaction as the rows it sums.
#pragma once

#include <mutex>
#include <string>

#include "base/fd.hpp"
#include "history/database.hpp"
#include "history/sqlite.hpp"

namespace powertrace {

inline constexpr int kSchemaVersion = 1;

// Of Usage, in this order in every table.
#define PT_USAGE_COLUMNS "cpu,dram,gpu,other,run,cycles,instructions,switches,squared"
#define PT_QUARTER_COLUMNS "q0,q1,q2,q3"
#define PT_COVER_COLUMNS "c0,c1,c2,c3,estimated,intervals"

inline constexpr int kQuarters = 4;
inline constexpr UtcMs kQuarterMs = 15 * kMinuteMs;

// Reads the nine usage columns from `column` on.
Usage read_usage(const SqlStatement& statement, int column);

struct HistoryDatabase::Impl {
  std::string path;
  HistoryLimits limits;
  UniqueFd lock;  // the writer's; taken before the database is opened

  std::mutex mutex;  // of everything below
  SqlDatabase database;
  bool writable = false;
  SqlStatement find_workload, add_workload, rename_workload, get_workload;
  SqlStatement add_minute, add_minute_total, add_hour, add_hour_total;
  UtcMs pruned_hour = 0;

  Status create();
  Status prepare_writes();
  Status add(std::span<const Minute> minutes);
  Status add_minute_rows(const Minute& minute);
  Result<std::int64_t> workload_id(const Workload& who);
  Status prune(UtcMs now);
  Status shrink();

  Result<Workload> workload(std::int64_t id);
};

}  // namespace powertrace
