// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>

#include "cli/cmd_report.hpp"
#include "cli/commands/command.hpp"
#include "cli/commands/values.hpp"

namespace powertrace {
namespace {

struct RawReport {
  std::string file = "powertrace.data", by = "process", sort = "joules", from, to, top;
  bool json = false, csv = false, batch = false;
};

Result<ReportOptions> check(const RawReport& raw) {
  ReportOptions report;
  report.file = raw.file;
  if (raw.by == "symbol" || raw.by == "caller") {
    report.code = raw.by == "symbol" ? ReportOptions::Code::kSymbol : ReportOptions::Code::kCaller;
  } else {
    PT_ASSIGN(report.by, at_option("--by", parse_level(raw.by)));
  }
  PT_ASSIGN(report.sort, at_option("--sort", parse_sort_key(raw.sort)));
  report.from = raw.from;
  report.to = raw.to;
  if (!raw.top.empty()) {
    PT_ASSIGN(report.top, check_count("--top", raw.top));
  }
  if (raw.json && raw.csv) {
    return fail(ErrorCode::kUsage, "--json and --csv exclude each other");
  }
  report.format = raw.json  ? ReportFormat::kJson
                  : raw.csv ? ReportFormat::kCsv
                            : ReportFormat::kTable;
  report.batch = raw.batch;
  return report;
}

void add_options(CLI::App& report, RawReport& raw) {
  report.add_option("file", raw.file, "recording, or - for standard input")->type_name("FILE");
  report.add_option("--by", raw.by,
                    "rows: process, thread, comm, cgroup, container, pod, symbol, caller");
  report.add_option("--sort", raw.sort, "watts, joules, cpu, name");
  report.add_option("--from", raw.from, "begin: since the start (1.5s) or in UTC")
      ->type_name("TIME");
  report.add_option("--to", raw.to, "end, likewise")->type_name("TIME");
  report.add_option("--top", raw.top, "so many rows, the others in one")->type_name("N");
  report.add_flag("--json", raw.json, "one JSON object");
  report.add_flag("--csv", raw.csv, "a line per row");
  report.add_flag("--batch", raw.batch, "print a table, also on a terminal");
}

}  // namespace

void add_report(CommandLine& line) {
  auto raw = std::make_shared<RawReport>();
  CLI::App* report = line.app.add_subcommand("report", "Who used the energy of a recording");
  add_options(*report, *raw);
  report->callback([&line, raw] {
    line.run = [raw](const GlobalOptions& global) -> Result<int> {
      PT_ASSIGN(const ReportOptions options, check(*raw));
      return run_report(global, options);
    };
  });
}

}  // namespace powertrace
