// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include "cli/exit_code.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"
#include "render/json.hpp"
#include "render/table.hpp"

namespace powertrace {
namespace {

std::vector<Row> top_rows(const Snapshot& snapshot, const TopOptions& options) {
  std::vector<Row> rows = roll_up(snapshot, options.by);
  if (!options.filter.empty()) {
    std::erase_if(rows, [&](const Row& row) { return !row_matches(row, options.filter); });
  }
  sort_rows(rows, options.sort);
  return rows;
}

}  // namespace

Result<int> run_top(const GlobalOptions& global, const TopOptions& options) {
  PT_ASSIGN(Session session, Session::open(global, options.window_ns, options.interval_ns));
  std::uint64_t printed = 0;
  std::optional<Error> failure;
  PT_ASSIGN(const int code, session.run([&](const SnapshotPtr& snapshot) {
    const std::vector<Row> rows = top_rows(*snapshot, options);
    const auto written = write_stdout(options.json ? snapshot_json(*snapshot, rows) + "\n"
                                                   : snapshot_table(*snapshot, rows, 0) + "\n");
    if (!written) {
      failure = written.error();
      session.stop(kExitFailed);
    } else if (*written == Written::kReaderGone || ++printed == options.count) {
      session.stop(kExitOk);
    }
  }));
  if (failure) {
    return tl::make_unexpected(*failure);
  }
  return code;
}

}  // namespace powertrace
