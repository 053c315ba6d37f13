// SPDX-License-Identifier: Apache-2.0
#include "history/sqlite.hpp"

#include <sqlite3.h>

namespace powertrace {
namespace {

tl::unexpected<Error> sql_error(sqlite3* database, int code) {
  const int primary = code & 0xFF;
  const ErrorCode kind =
      primary == SQLITE_BUSY || primary == SQLITE_LOCKED      ? ErrorCode::kBusy
      : primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB ? ErrorCode::kMalformed
      : primary == SQLITE_PERM || primary == SQLITE_AUTH || primary == SQLITE_READONLY
          ? ErrorCode::kPermission
      : primary == SQLITE_CANTOPEN ? ErrorCode::kNotFound
                                   : ErrorCode::kIo;
  // The primary code, for those who react to SQLITE_FULL.
  return tl::unexpected<Error>(
      Error{kind, primary, database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code)});
}

}  // namespace

void SqlStatement::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_finalize(statement);
}

SqlStatement& SqlStatement::bind(int index, std::int64_t value) {
  sqlite3_bind_int64(statement_.get(), index, value);
  return *this;
}
SqlStatement& SqlStatement::bind(int index, double value) {
  sqlite3_bind_double(statement_.get(), index, value);
  return *this;
}
SqlStatement& SqlStatement::bind(int index, std::string_view value) {
  sqlite3_bind_text64(statement_.get(), index, value.data(), value.size(), SQLITE_TRANSIENT,
                      SQLITE_UTF8);
  return *this;
}

Result<bool> SqlStatement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) {
    return true;
  }
  auto error = sql_error(sqlite3_db_handle(statement_.get()), code);
  reset();
  if (code == SQLITE_DONE) {
    return false;
  }
  return error;
}

Status SqlStatement::run() {
  PT_TRY(step());
  reset();
  return {};
}

void SqlStatement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

std::int64_t SqlStatement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}
double SqlStatement::real(int column) const {
  return sqlite3_column_double(statement_.get(), column);
}
std::string SqlStatement::text(int column) const {
  const auto* text = sqlite3_column_text(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return text == nullptr
             ? std::string()
             : std::string(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
}

void SqlDatabase::Close::operator()(sqlite3* database) const noexcept {
  sqlite3_close_v2(database);
}

Result<SqlDatabase> SqlDatabase::open(const std::string& path, Mode mode) {
  constexpr int kBusyMs = 5000;
  sqlite3* raw = nullptr;
  const int flags =
      mode == Mode::kReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  SqlDatabase database;
  database.database_.reset(raw);
  if (code != SQLITE_OK) {
    return tl::make_unexpected(with_context(sql_error(raw, code).value(), path));
  }
  sqlite3_busy_timeout(raw, kBusyMs);
  return database;
}

Status SqlDatabase::execute(const char* sql) {
  const int code = sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) {
    return sql_error(database_.get(), code);
  }
  return {};
}

Result<SqlStatement> SqlDatabase::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK) {
    return sql_error(database_.get(), code);
  }
  SqlStatement statement;
  statement.statement_.reset(raw);
  return statement;
}

Result<std::int64_t> SqlDatabase::number(std::string_view sql) {
  PT_ASSIGN(SqlStatement statement, prepare(sql));
  PT_ASSIGN(const bool row, statement.step());
  return row ? statement.integer(0) : 0;
}

std::int64_t SqlDatabase::changes() const {
  return sqlite3_changes64(database_.get());
}
std::int64_t SqlDatabase::last_id() const {
  return sqlite3_last_insert_rowid(database_.get());
}

}  // namespace powertrace
