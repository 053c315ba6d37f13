// SPDX-License-Identifier: Apache-2.0
#include "cli/cmd_report.hpp"

#include <memory>
#include <vector>

#include "cli/output.hpp"
#include "cli/recording.hpp"
#include "record/fold.hpp"
#include "record/reader.hpp"
#include "render/json.hpp"
#include "render/table.hpp"
#include "report/range.hpp"
#include "report/rows.hpp"

namespace powertrace {
namespace {

Result<SnapshotPtr> fold_range(record::Reader& reader,
                               const record::FoldConfig& config,
                               const report::Range& range) {
  record::Fold fold(reader, config);
  for (;;) {
    PT_ASSIGN(const bool more, reader.next());
    if (!more) {
      break;
    }
    if (range.includes(reader.window())) {
      fold.add();
    } else {
      fold.attribute_window();  // idle power is learned from all of the recording
    }
  }
  if (fold.empty()) {
    return fail(ErrorCode::kUsage, "no window was recorded in that time: it went on for {:.1f} s",
                static_cast<double>(reader.window().end_ns - reader.meta().start_ns) / 1e9);
  }
  return fold.take_snapshot();
}

}  // namespace

Result<int> run_report(const GlobalOptions& global, const ReportOptions& options) {
  const std::string& file = global.replay.empty() ? options.file : global.replay;
  PT_ASSIGN(const std::unique_ptr<record::Reader> reader, record::Reader::open(file));
  const record::FoldConfig config = fold_config(global);
  PT_TRY(record::check_fold(config, reader->meta()));
  PT_ASSIGN(const report::Range range,
            report::parse_range(options.from, options.to, reader->meta()));
  PT_ASSIGN(const SnapshotPtr snapshot, fold_range(*reader, config, range));
  warn_about(*reader);

  std::vector<Row> rows = roll_up(*snapshot, options.by);
  sort_rows(rows, options.sort);
  report::keep_top(rows, options.top);
  switch (options.format) {
    case ReportFormat::kTable:
      PT_TRY(write_stdout(recording_line(reader->meta()) +
                          snapshot_table(*snapshot, rows, output_columns())));
      break;
    case ReportFormat::kJson:
      PT_TRY(write_stdout(snapshot_json(*snapshot, rows) + "\n"));
      break;
    case ReportFormat::kCsv:
      PT_TRY(write_stdout(report::rows_csv(*snapshot, rows)));
      break;
  }
  return 0;
}

}  // namespace powertrace
