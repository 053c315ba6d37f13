// SPDX-License-Identifier: Apache-2.0
//
// SQLite with owners and Results: prepared statements only, values always bound. One thread at a
// time. Private to history/.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace powertrace {

class SqlStatement {
 public:
  SqlStatement() = default;

  // 1-based; text is copied.
  SqlStatement& bind(int index, std::int64_t value);
  SqlStatement& bind(int index, double value);
  SqlStatement& bind(int index, std::string_view value);

  // true: there is a row. After false or an error the statement is ready to be bound again.
  Result<bool> step();
  // For statements without rows.
  Status run();
  void reset();

  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;
  [[nodiscard]] std::string text(int column) const;

 private:
  friend class SqlDatabase;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class SqlDatabase {
 public:
  enum class Mode { kReadWrite, kReadOnly };
  static Result<SqlDatabase> open(const std::string& path, Mode mode);

  // Statements without parameters and results: schema, pragmas, BEGIN.
  Status execute(const char* sql);
  Result<SqlStatement> prepare(std::string_view sql);
  Result<std::int64_t> number(std::string_view sql);  // of the first row's first column
  [[nodiscard]] std::int64_t changes() const;
  [[nodiscard]] std::int64_t last_id() const;

 private:
  struct Close {
    void operator()(sqlite3* database) const noexcept;
  };
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace powertrace
