// SPDX-License-Identifier: Apache-2.0
#include "cli/cmd_report.hpp"

#include <vector>

#include <unistd.h>

#include "cli/output.hpp"
#include "cli/recording.hpp"
#include "cli/report/browser_ui.hpp"
#include "cli/top/screen.hpp"
#include "record/fold.hpp"
#include "record/reader.hpp"
#include "render/json.hpp"
#include "render/table.hpp"
#include "report/functions.hpp"
#include "report/rows.hpp"

namespace powertrace {
namespace {

Result<int> report_functions(const GlobalOptions& global,
                             const ReportOptions& options,
                             const std::string& file) {
  PT_ASSIGN(const report::Profile profile,
            read_profile(global, file, options.from, options.to, nullptr));
  if (profile.meta.sample_hz == 0) {
    return fail(ErrorCode::kUsage, "{} has no stack samples: record with -g", file);
  }
  const auto rows =
      report::function_energies(profile, options.code == ReportOptions::Code::kCaller);
  switch (options.format) {
    case ReportFormat::kTable:
      PT_TRY(write_stdout(recording_line(profile.meta) +
                          report::functions_table(profile, rows, options.top)));
      break;
    case ReportFormat::kJson:
      PT_TRY(write_stdout(report::functions_json(profile, rows)));
      break;
    case ReportFormat::kCsv:
      PT_TRY(write_stdout(report::functions_csv(profile, rows)));
      break;
  }
  return 0;
}

// Whoever sits at a terminal and asks for nothing special may look around.
bool wants_browser(const ReportOptions& options, const std::string& file) {
  return options.format == ReportFormat::kTable && !options.batch && options.top == 0 &&
         file != "-" && ::isatty(STDOUT_FILENO) == 1 && !top::screen_problem();
}

Result<int> browse_recording(const GlobalOptions& global,
                             const ReportOptions& options,
                             const std::string& file) {
  browse::Recorded recorded;
  recorded.file = file;
  PT_ASSIGN(recorded.profile, read_profile(global, file, options.from, options.to,
                                           &recorded.timeline, &recorded.snapshot));
  top::Glyphs glyphs;
  glyphs.utf8 = top::use_terminal_locale();
  PT_ASSIGN(top::TerminalGuard guard, top::TerminalGuard::start());
  browse::Browser browser(recorded, options.by, options.code != ReportOptions::Code::kNone, glyphs);
  return browse::run_browser(guard, browser);
}

}  // namespace

Result<int> run_report(const GlobalOptions& global, const ReportOptions& options) {
  const std::string& file = global.replay.empty() ? options.file : global.replay;
  if (wants_browser(options, file)) {
    return browse_recording(global, options, file);
  }
  if (options.code != ReportOptions::Code::kNone) {
    return report_functions(global, options, file);
  }
  record::Meta meta;
  PT_ASSIGN(const SnapshotPtr snapshot,
            read_snapshot(global, file, options.from, options.to, &meta));
  std::vector<Row> rows = roll_up(*snapshot, options.by);
  sort_rows(rows, options.sort);
  report::keep_top(rows, options.top);
  switch (options.format) {
    case ReportFormat::kTable:
      PT_TRY(
          write_stdout(recording_line(meta) + snapshot_table(*snapshot, rows, output_columns())));
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
