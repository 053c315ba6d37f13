// SPDX-License-Identifier: Apache-2.0
#include "history/database.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include "base/log.hpp"
#include "history/database_impl.hpp"

namespace powertrace {
namespace {

constexpr std::int64_t kPageBytes = 4096;
// The write-ahead log and its index, as journal_size_limit and checkpoints bound them.
constexpr std::int64_t kLogBytes = std::int64_t{6} << 20U;
constexpr std::int64_t kSmallestBytes = std::int64_t{16} << 20U;

constexpr const char* kTables = R"sql(
CREATE TABLE IF NOT EXISTS workload(
  id INTEGER PRIMARY KEY, node TEXT NOT NULL, kind INTEGER NOT NULL, cgroup TEXT NOT NULL,
  user TEXT NOT NULL, container_id TEXT NOT NULL, container TEXT NOT NULL, pod_uid TEXT NOT NULL,
  pod TEXT NOT NULL, namespace TEXT NOT NULL, type_label TEXT NOT NULL,
  UNIQUE(node, kind, cgroup, user));
CREATE TABLE IF NOT EXISTS minute(
  start INTEGER NOT NULL, workload INTEGER NOT NULL,
  cpu INTEGER, dram INTEGER, gpu INTEGER, other INTEGER, run INTEGER, cycles INTEGER,
  instructions INTEGER, switches INTEGER, squared REAL,
  PRIMARY KEY(start, workload)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS minute_total(
  start INTEGER PRIMARY KEY,
  cpu INTEGER, dram INTEGER, gpu INTEGER, other INTEGER, run INTEGER, cycles INTEGER,
  instructions INTEGER, switches INTEGER, squared REAL,
  covered INTEGER, estimated INTEGER, intervals INTEGER);
CREATE TABLE IF NOT EXISTS hour(
  start INTEGER NOT NULL, workload INTEGER NOT NULL,
  cpu INTEGER, dram INTEGER, gpu INTEGER, other INTEGER, run INTEGER, cycles INTEGER,
  instructions INTEGER, switches INTEGER, squared REAL,
  q0 INTEGER, q1 INTEGER, q2 INTEGER, q3 INTEGER,
  PRIMARY KEY(start, workload)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hour_total(
  start INTEGER PRIMARY KEY,
  cpu INTEGER, dram INTEGER, gpu INTEGER, other INTEGER, run INTEGER, cycles INTEGER,
  instructions INTEGER, switches INTEGER, squared REAL,
  q0 INTEGER, q1 INTEGER, q2 INTEGER, q3 INTEGER,
  c0 INTEGER, c1 INTEGER, c2 INTEGER, c3 INTEGER, estimated INTEGER, intervals INTEGER);
PRAGMA user_version = 1;
)sql";

#define PT_ADD_USAGE                                                                              \
  "cpu=cpu+excluded.cpu,dram=dram+excluded.dram,gpu=gpu+excluded.gpu,other=other+excluded.other," \
  "run=run+excluded.run,cycles=cycles+excluded.cycles,"                                           \
  "instructions=instructions+excluded.instructions,switches=switches+excluded.switches,"          \
  "squared=squared+excluded.squared"
#define PT_ADD_QUARTERS "q0=q0+excluded.q0,q1=q1+excluded.q1,q2=q2+excluded.q2,q3=q3+excluded.q3"

constexpr const char* kAddMinute = "INSERT INTO minute(start,workload," PT_USAGE_COLUMNS
                                   ") VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)"
                                   " ON CONFLICT(start,workload) DO UPDATE SET " PT_ADD_USAGE;
constexpr const char* kAddMinuteTotal =
    "INSERT INTO minute_total(start," PT_USAGE_COLUMNS
    ",covered,estimated,intervals) VALUES(?1,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)"
    " ON CONFLICT(start) DO UPDATE SET " PT_ADD_USAGE
    ",covered=covered+excluded.covered,estimated=estimated+excluded.estimated,"
    "intervals=intervals+excluded.intervals";
constexpr const char* kAddHour =
    "INSERT INTO hour(start,workload," PT_USAGE_COLUMNS "," PT_QUARTER_COLUMNS
    ") VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)"
    " ON CONFLICT(start,workload) DO UPDATE SET " PT_ADD_USAGE "," PT_ADD_QUARTERS;
constexpr const char* kAddHourTotal =
    "INSERT INTO hour_total(start," PT_USAGE_COLUMNS "," PT_QUARTER_COLUMNS "," PT_COVER_COLUMNS
    ") VALUES(?1,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21)"
    " ON CONFLICT(start) DO UPDATE SET " PT_ADD_USAGE "," PT_ADD_QUARTERS
    ",c0=c0+excluded.c0,c1=c1+excluded.c1,c2=c2+excluded.c2,c3=c3+excluded.c3,"
    "estimated=estimated+excluded.estimated,intervals=intervals+excluded.intervals";

// Parameters 1 to 11: start, workload and what was used.
void bind_usage(SqlStatement& statement, std::int64_t start, std::int64_t id, const Usage& use) {
  statement.bind(1, start).bind(2, id);
  int index = 3;
  for (const std::int64_t nj : use.energy_nj) {
    statement.bind(index++, nj);
  }
  statement.bind(7, use.run_ns)
      .bind(8, use.cycles)
      .bind(9, use.instructions)
      .bind(10, use.switches)
      .bind(11, use.cores_squared);
}

// Parameters `first` to first + 3: the amount in its quarter, 0 in the others.
void bind_quarter(SqlStatement& statement, int first, int quarter, std::int64_t amount) {
  for (int i = 0; i < kQuarters; ++i) {
    statement.bind(first + i, i == quarter ? amount : std::int64_t{0});
  }
}

Result<UniqueFd> lock_for_writing(const std::string& path) {
  const std::string name = path + ".lock";
  UniqueFd fd(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid()) {
    return fail_errno(errno, "history: cannot write {} (choose another place with --history)",
                      name);
  }
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(ErrorCode::kBusy,
                "history: another powertrace writes to {}: two would count everything twice; stop "
                "it or give this one another file with --history",
                path);
  }
  return fd;
}

}  // namespace

Usage read_usage(const SqlStatement& statement, int column) {
  Usage use;
  for (std::int64_t& nj : use.energy_nj) {
    nj = statement.integer(column++);
  }
  use.run_ns = statement.integer(column++);
  use.cycles = statement.integer(column++);
  use.instructions = statement.integer(column++);
  use.switches = statement.integer(column++);
  use.cores_squared = statement.real(column);
  return use;
}

HistoryDatabase::HistoryDatabase(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HistoryDatabase::~HistoryDatabase() = default;

Result<std::unique_ptr<HistoryDatabase>> HistoryDatabase::open(const std::string& path,
                                                               const HistoryLimits& limits) {
  if (limits.bytes < kSmallestBytes) {
    return fail(ErrorCode::kUsage, "history: {} bytes are too few: allow 16 MiB or more",
                limits.bytes);
  }
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->limits = limits;
  impl->writable = true;
  std::error_code ignored;  // the lock file's error says more
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  PT_ASSIGN(impl->lock, lock_for_writing(path));
  const UniqueFd made(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));  // the mode
  PT_ASSIGN(impl->database, SqlDatabase::open(path, SqlDatabase::Mode::kReadWrite));
  const Status created = impl->create();
  if (!created) {
    const Error& error = created.error();
    return tl::make_unexpected(with_context(
        error, "history: " + path +
                   (error.code == ErrorCode::kMalformed ? " is damaged or no history (move it away "
                                                          "to begin a new one)"
                                                        : "")));
  }
  return std::unique_ptr<HistoryDatabase>(new HistoryDatabase(std::move(impl)));
}

Result<std::unique_ptr<HistoryDatabase>> HistoryDatabase::open_read_only(const std::string& path) {
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  if (::access(path.c_str(), F_OK) != 0) {
    return fail(ErrorCode::kNotFound,
                "history: there is none at {}: `powertrace serve --history FILE` keeps one, "
                "or ask a Prometheus with --prometheus URL",
                path);
  }
  PT_ASSIGN(impl->database, SqlDatabase::open(path, SqlDatabase::Mode::kReadOnly));
  const auto version = impl->database.number("PRAGMA user_version");
  if (!version) {
    return tl::make_unexpected(with_context(version.error(), "history: " + path));
  }
  if (*version != kSchemaVersion) {
    return fail(ErrorCode::kMalformed, "history: {} is no history that this powertrace can read",
                path);
  }
  PT_ASSIGN(impl->get_workload,
            impl->database.prepare("SELECT node,kind,cgroup,user,container_id,container,pod_uid,"
                                   "pod,namespace,type_label FROM workload WHERE id=?1"));
  return std::unique_ptr<HistoryDatabase>(new HistoryDatabase(std::move(impl)));
}

std::string HistoryDatabase::describe() const {
  return impl_->path;
}

Status HistoryDatabase::Impl::create() {
  PT_TRY(database.execute("PRAGMA auto_vacuum=INCREMENTAL"));
  PT_ASSIGN(const std::int64_t version, database.number("PRAGMA user_version"));
  if (version != 0 && version != kSchemaVersion) {
    return fail(ErrorCode::kMalformed, "schema version {} is not {}: a newer powertrace wrote it",
                version, kSchemaVersion);
  }
  PT_TRY(database.execute("PRAGMA journal_mode=WAL"));
  PT_TRY(database.execute("PRAGMA synchronous=NORMAL"));
  PT_TRY(database.execute("PRAGMA journal_size_limit=4194304"));
  PT_TRY(database.execute(kTables));
  const std::string most =
      fmt::format("PRAGMA max_page_count={}", (limits.bytes - kLogBytes) / kPageBytes);
  PT_TRY(database.execute(most.c_str()));
  return prepare_writes();
}

Status HistoryDatabase::Impl::prepare_writes() {
  PT_ASSIGN(find_workload,
            database.prepare("SELECT id,pod,container,type_label FROM workload WHERE "
                             "node=?1 AND kind=?2 AND cgroup=?3 AND user=?4"));
  PT_ASSIGN(add_workload,
            database.prepare("INSERT INTO workload(node,kind,cgroup,user,container_id,container,"
                             "pod_uid,pod,namespace,type_label) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,"
                             "?10)"));
  PT_ASSIGN(rename_workload,
            database.prepare("UPDATE workload SET container_id=?5,container=?6,pod_uid=?7,pod=?8,"
                             "namespace=?9,type_label=?10 WHERE id=?1"));
  PT_ASSIGN(get_workload,
            database.prepare("SELECT node,kind,cgroup,user,container_id,container,pod_uid,pod,"
                             "namespace,type_label FROM workload WHERE id=?1"));
  PT_ASSIGN(add_minute, database.prepare(kAddMinute));
  PT_ASSIGN(add_minute_total, database.prepare(kAddMinuteTotal));
  PT_ASSIGN(add_hour, database.prepare(kAddHour));
  PT_ASSIGN(add_hour_total, database.prepare(kAddHourTotal));
  return {};
}

Result<std::int64_t> HistoryDatabase::Impl::workload_id(const Workload& who) {
  const auto kind = static_cast<std::int64_t>(who.kind);
  find_workload.bind(1, who.node).bind(2, kind).bind(3, who.cgroup).bind(4, who.user);
  PT_ASSIGN(const bool found, find_workload.step());
  const auto bind_names = [&who](SqlStatement& statement) {
    statement.bind(5, who.container_id)
        .bind(6, who.container)
        .bind(7, who.pod_uid)
        .bind(8, who.pod)
        .bind(9, who.name_space)
        .bind(10, who.type_label);
  };
  if (!found) {
    add_workload.bind(1, who.node).bind(2, kind).bind(3, who.cgroup).bind(4, who.user);
    bind_names(add_workload);
    PT_TRY(add_workload.run());
    return database.last_id();
  }
  const std::int64_t id = find_workload.integer(0);
  const bool renamed = (!who.pod.empty() && find_workload.text(1) != who.pod) ||
                       (!who.container.empty() && find_workload.text(2) != who.container) ||
                       (!who.pod.empty() && find_workload.text(3) != who.type_label);
  find_workload.reset();
  if (renamed) {
    rename_workload.bind(1, id);
    bind_names(rename_workload);
    PT_TRY(rename_workload.run());
  }
  return id;
}

Status HistoryDatabase::Impl::add_minute_rows(const Minute& minute) {
  const std::int64_t minute_number = minute.start / kMinuteMs;
  const std::int64_t hour_number = minute.start / kHourMs;
  const auto quarter = static_cast<int>(minute.start % kHourMs / kQuarterMs);
  Usage total;
  for (const MinuteRow& row : minute.rows) {
    PT_ASSIGN(const std::int64_t id, workload_id(row.who));
    bind_usage(add_minute, minute_number, id, row.use);
    PT_TRY(add_minute.run());
    bind_usage(add_hour, hour_number, id, row.use);
    bind_quarter(add_hour, 12, quarter, row.use.total_nj());
    PT_TRY(add_hour.run());
    total += row.use;
  }
  bind_usage(add_minute_total, minute_number, 0, total);
  add_minute_total.bind(12, minute.covered_ms)
      .bind(13, minute.estimated_ms)
      .bind(14, minute.intervals);
  PT_TRY(add_minute_total.run());
  bind_usage(add_hour_total, hour_number, 0, total);
  bind_quarter(add_hour_total, 12, quarter, total.total_nj());
  bind_quarter(add_hour_total, 16, quarter, minute.covered_ms);
  add_hour_total.bind(20, minute.estimated_ms).bind(21, minute.intervals);
  return add_hour_total.run();
}

Status HistoryDatabase::Impl::add(std::span<const Minute> minutes) {
  PT_TRY(database.execute("BEGIN IMMEDIATE"));
  const auto add_all = [&]() -> Status {
    for (const Minute& minute : minutes) {
      PT_TRY(add_minute_rows(minute));
    }
    return database.execute("COMMIT");
  };
  Status added = add_all();
  if (!added) {
    static_cast<void>(database.execute("ROLLBACK"));  // SQLite may have done so itself
  }
  return added;
}

Status HistoryDatabase::Impl::prune(UtcMs now) {
  if (now / kHourMs != pruned_hour) {
    pruned_hour = now / kHourMs;
    const auto forget = [this](const char* sql, std::int64_t before) -> Status {
      PT_ASSIGN(SqlStatement statement, database.prepare(sql));
      return statement.bind(1, before).run();
    };
    // Whole hours, so that what is left of an hour's minutes is all of them or none.
    const std::int64_t minutes_before = (now - limits.minutes_ms) / kHourMs * 60;
    const std::int64_t hours_before = (now - limits.hours_ms) / kHourMs;
    PT_TRY(forget("DELETE FROM minute WHERE start<?1", minutes_before));
    PT_TRY(forget("DELETE FROM minute_total WHERE start<?1", minutes_before));
    PT_TRY(forget("DELETE FROM hour WHERE start<?1", hours_before));
    PT_TRY(forget("DELETE FROM hour_total WHERE start<?1", hours_before));
    PT_TRY(database.execute(
        "DELETE FROM workload WHERE id NOT IN (SELECT workload FROM hour) AND id NOT IN (SELECT "
        "workload FROM minute)"));
    PT_TRY(database.execute("PRAGMA incremental_vacuum"));
  }
  PT_ASSIGN(const std::int64_t pages, database.number("PRAGMA page_count"));
  PT_ASSIGN(const std::int64_t free_pages, database.number("PRAGMA freelist_count"));
  const std::int64_t most = (limits.bytes - kLogBytes) / kPageBytes;
  return (pages - free_pages) * 10 > most * 9 ? shrink() : Status{};
}

// Makes room: the oldest tenth of the minutes, or of the hours where there are few minutes.
Status HistoryDatabase::Impl::shrink() {
  PT_ASSIGN(const std::int64_t first, database.number("SELECT min(start) FROM minute_total"));
  PT_ASSIGN(const std::int64_t last, database.number("SELECT max(start) FROM minute_total"));
  const bool minutes = last - first > 120;
  PT_ASSIGN(const std::int64_t oldest, minutes
                                           ? Result<std::int64_t>(first)
                                           : database.number("SELECT min(start) FROM hour_total"));
  PT_ASSIGN(const std::int64_t newest, minutes
                                           ? Result<std::int64_t>(last)
                                           : database.number("SELECT max(start) FROM hour_total"));
  std::int64_t before = oldest + std::max<std::int64_t>(1, (newest - oldest) / 10);
  before = minutes ? (before + 59) / 60 * 60 : before;
  log_warn("history: {} is full ({} MiB): forgetting the {} before {}", path, limits.bytes >> 20U,
           minutes ? "minutes" : "hours", format_rfc3339(before * (minutes ? kMinuteMs : kHourMs)));
  PT_TRY(database.execute("BEGIN IMMEDIATE"));
  constexpr std::array<const char*, 2> kMinuteTables{"DELETE FROM minute WHERE start<?1",
                                                     "DELETE FROM minute_total WHERE start<?1"};
  constexpr std::array<const char*, 2> kHourTables{"DELETE FROM hour WHERE start<?1",
                                                   "DELETE FROM hour_total WHERE start<?1"};
  for (const char* sql : minutes ? kMinuteTables : kHourTables) {
    PT_ASSIGN(SqlStatement statement, database.prepare(sql));
    PT_TRY(statement.bind(1, before).run());
  }
  PT_TRY(database.execute("COMMIT"));
  return database.execute("PRAGMA incremental_vacuum");
}

Status HistoryDatabase::add(std::span<const Minute> minutes) {
  const std::lock_guard lock(impl_->mutex);
  Status added = impl_->add(minutes);
  if (!added && added.error().sys_errno == SQLITE_FULL) {
    PT_TRY(impl_->shrink());
    added = impl_->add(minutes);
  }
  if (!added) {
    return tl::make_unexpected(with_context(added.error(), "history: writing " + impl_->path));
  }
  // What was added is in: a failure to forget must not make the caller add it again.
  const Status pruned = impl_->prune(minutes.empty() ? 0 : minutes.back().start);
  if (!pruned) {
    log_warn("history: forgetting what is old in {}: {}", impl_->path, pruned.error().message);
  }
  return {};
}

}  // namespace powertrace
