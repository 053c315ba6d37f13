// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>

#include "cli/cmd_export.hpp"
#include "cli/commands/command.hpp"
#include "cli/commands/values.hpp"

namespace powertrace {
namespace {

struct RawExport {
  std::string file = "powertrace.data", format, output, from, to, processes = "20";
};

Result<ExportOptions> check(const RawExport& raw) {
  ExportOptions options;
  options.file = raw.file;
  PT_ASSIGN(options.format, choose<ExportFormat>("--format", raw.format,
                                                 {{"firefox", ExportFormat::kFirefox},
                                                  {"pprof", ExportFormat::kPprof},
                                                  {"folded", ExportFormat::kFolded},
                                                  {"flamegraph", ExportFormat::kFlameGraph},
                                                  {"speedscope", ExportFormat::kSpeedscope},
                                                  {"chrome", ExportFormat::kChrome},
                                                  {"csv", ExportFormat::kCsv},
                                                  {"json", ExportFormat::kJson}}));
  options.output = raw.output;
  options.from = raw.from;
  options.to = raw.to;
  PT_ASSIGN(options.processes, check_count("--processes", raw.processes));
  return options;
}

struct RawDiff {
  std::string before, after, by = "comm", top, output;
  bool json = false, csv = false, flame_graph = false;
};

Result<DiffOptions> check(const RawDiff& raw) {
  DiffOptions options;
  options.before = raw.before;
  options.after = raw.after;
  options.output = raw.output;
  options.by_symbol = raw.by == "symbol";
  if (!options.by_symbol) {
    PT_ASSIGN(options.by, at_option("--by", parse_level(raw.by)));
  }
  if (!raw.top.empty()) {
    PT_ASSIGN(options.top, check_count("--top", raw.top));
  }
  if ((raw.json ? 1 : 0) + (raw.csv ? 1 : 0) + (raw.flame_graph ? 1 : 0) > 1) {
    return fail(ErrorCode::kUsage, "--json, --csv and --flamegraph exclude each other");
  }
  options.format = raw.json          ? DiffFormat::kJson
                   : raw.csv         ? DiffFormat::kCsv
                   : raw.flame_graph ? DiffFormat::kFlameGraph
                                     : DiffFormat::kTable;
  return options;
}

}  // namespace

void add_export(CommandLine& line) {
  auto raw = std::make_shared<RawExport>();
  CLI::App* app = line.app.add_subcommand("export", "A recording for other tools");
  app->add_option("file", raw->file, "recording, or - for standard input")->type_name("FILE");
  app->add_option("--format", raw->format,
                  "firefox, pprof, folded, flamegraph, speedscope, chrome, csv, json");
  app->add_option("-o,--output", raw->output, "write there")->type_name("FILE");
  app->add_option("--from", raw->from, "begin: since the start (1.5s) or in UTC")
      ->type_name("TIME");
  app->add_option("--to", raw->to, "end, likewise")->type_name("TIME");
  app->add_option("--processes", raw->processes, "power tracks: those with the most energy")
      ->type_name("N");
  app->callback([&line, raw] {
    line.run = [raw](const GlobalOptions& global) -> Result<int> {
      PT_ASSIGN(const ExportOptions options, check(*raw));
      return run_export(global, options);
    };
  });
}

void add_diff(CommandLine& line) {
  auto raw = std::make_shared<RawDiff>();
  CLI::App* app = line.app.add_subcommand("diff", "Two recordings compared");
  app->add_option("before", raw->before, "recording")->type_name("A")->required();
  app->add_option("after", raw->after, "recording")->type_name("B")->required();
  app->add_option("--by", raw->by, "rows: comm, process, cgroup, container, pod, symbol");
  app->add_option("--top", raw->top, "so many rows")->type_name("N");
  app->add_option("-o,--output", raw->output, "write there")->type_name("FILE");
  app->add_flag("--json", raw->json, "one JSON object");
  app->add_flag("--csv", raw->csv, "a line per row");
  app->add_flag("--flamegraph", raw->flame_graph, "a differential flame graph (HTML)");
  app->callback([&line, raw] {
    line.run = [raw](const GlobalOptions& global) -> Result<int> {
      PT_ASSIGN(const DiffOptions options, check(*raw));
      return run_diff(global, options);
    };
  });
}

}  // namespace powertrace
