// SPDX-License-Identifier: Apache-2.0
#include "cli/cmd_export.hpp"

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <sys/stat.h>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "base/atomic_file.hpp"
#include "base/log.hpp"
#include "cli/output.hpp"
#include "cli/recording.hpp"
#include "render/json.hpp"
#include "report/diff.hpp"
#include "report/export.hpp"
#include "report/functions.hpp"
#include "report/paths.hpp"
#include "report/rows.hpp"
#include "report/timeline.hpp"

namespace powertrace {
namespace {

// To standard output, or to a file that appears only when it is whole.
Status write_result(const std::string& path, const std::string& text) {
  if (path.empty() || path == "-") {
    PT_TRY(write_stdout(text));
    return {};
  }
  struct stat status {};
  const bool exists = ::stat(path.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) {
    return fail(ErrorCode::kUsage, "--output: {} is a directory; name a file in it", path);
  }
  if (exists && !S_ISREG(status.st_mode)) {  // a device or a pipe is written to, not replaced
    const UniqueFd out(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!out.valid()) {
      return fail_errno(errno, "--output: cannot write {}", path);
    }
    PT_TRY(write_all(out.get(), path, text));
    return {};
  }
  // What a link leads to is replaced, not the link.
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         std::free);
  return write_file_atomic(real ? real.get() : path, text, 0600);
}

std::string title_of(const record::Meta& meta) {
  std::string title = "Energy";
  for (const std::string& word : meta.command) {
    title += (word == meta.command.front() ? ": " : " ") + word;
  }
  return meta.command.empty() ? title + " of " + meta.host : title;
}

Result<std::string> export_text(const GlobalOptions& global, const ExportOptions& options) {
  if (options.format == ExportFormat::kCsv || options.format == ExportFormat::kJson) {
    PT_ASSIGN(const SnapshotPtr snapshot,
              read_snapshot(global, options.file, options.from, options.to, nullptr));
    std::vector<Row> rows = roll_up(*snapshot, Level::kThread);
    sort_rows(rows, SortKey::kJoules);
    return options.format == ExportFormat::kCsv ? report::rows_csv(*snapshot, rows)
                                                : snapshot_json(*snapshot, rows) + "\n";
  }
  report::Timeline timeline;
  const bool timed =
      options.format == ExportFormat::kFirefox || options.format == ExportFormat::kChrome;
  PT_ASSIGN(const report::Profile profile, read_profile(global, options.file, options.from,
                                                        options.to, timed ? &timeline : nullptr));
  const report::Paths paths = timed ? report::Paths() : report::path_energies(profile);
  const double seconds = static_cast<double>(profile.duration_ns) / 1e9;
  switch (options.format) {
    case ExportFormat::kFirefox:
      return report::firefox(profile, timeline, options.processes);
    case ExportFormat::kChrome:
      return report::chrome(profile, timeline, options.processes);
    case ExportFormat::kPprof:
      return report::gzip(report::pprof(profile));
    case ExportFormat::kFlameGraph:
      return report::flame_graph(paths, nullptr, title_of(profile.meta), seconds);
    case ExportFormat::kSpeedscope:
      return report::speedscope(paths, title_of(profile.meta));
    default:
      return report::folded(paths);
  }
}

report::DiffSide symbol_side(const report::Profile& profile) {
  report::DiffSide side;
  side.seconds = static_cast<double>(profile.duration_ns) / 1e9;
  for (const report::FunctionEnergy& row : report::function_energies(profile, false)) {
    const double joules = static_cast<double>(row.self_nj) / 1e9;
    // Samples are counts: their spread is the root of their number.
    const double sampling = row.samples > 0 ? joules / std::sqrt(row.samples) : 0;
    side.entries.push_back(
        {row.name, joules, std::hypot(sampling, joules * profile.meta.source.expected_error)});
  }
  return side;
}

}  // namespace

Result<int> run_export(const GlobalOptions& global, const ExportOptions& options) {
  const bool binary = options.format == ExportFormat::kPprof && options.output.empty();
  if (binary && ::isatty(STDOUT_FILENO) == 1) {
    return fail(ErrorCode::kUsage,
                "--format pprof is no text for a terminal; redirect it or name a file with -o");
  }
  PT_ASSIGN(const std::string text, export_text(global, options));
  PT_TRY(write_result(options.output, text));
  return 0;
}

Result<int> run_diff(const GlobalOptions& global, const DiffOptions& options) {
  if (options.format == DiffFormat::kFlameGraph || options.by_symbol) {
    PT_ASSIGN(const report::Profile before, read_profile(global, options.before, "", "", nullptr));
    PT_ASSIGN(const report::Profile after, read_profile(global, options.after, "", "", nullptr));
    if (options.format == DiffFormat::kFlameGraph) {
      const report::Paths old = report::path_energies(before);
      PT_TRY(write_result(options.output,
                          report::flame_graph(report::path_energies(after), &old,
                                              options.before + " and " + options.after,
                                              static_cast<double>(after.duration_ns) / 1e9)));
      return 0;
    }
    const auto rows = report::diff_rows(symbol_side(before), symbol_side(after));
    PT_TRY(write_result(options.output, options.format == DiffFormat::kJson
                                            ? report::diff_json(rows)
                                        : options.format == DiffFormat::kCsv
                                            ? report::diff_csv(rows)
                                            : report::diff_table(rows, options.top)));
    return 0;
  }
  PT_ASSIGN(const SnapshotPtr before, read_snapshot(global, options.before, "", "", nullptr));
  PT_ASSIGN(const SnapshotPtr after, read_snapshot(global, options.after, "", "", nullptr));
  const auto rows = report::diff_rows(report::diff_side(*before, roll_up(*before, options.by)),
                                      report::diff_side(*after, roll_up(*after, options.by)));
  PT_TRY(write_result(options.output, options.format == DiffFormat::kJson ? report::diff_json(rows)
                                      : options.format == DiffFormat::kCsv
                                          ? report::diff_csv(rows)
                                          : report::diff_table(rows, options.top)));
  return 0;
}

}  // namespace powertrace
