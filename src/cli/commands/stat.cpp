// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <vector>

#include "cli/cmd_stat.hpp"
#include "cli/commands/command.hpp"
#include "cli/commands/values.hpp"

namespace powertrace {
namespace {

struct RawStat {
  std::string repeat = "1", window = "100ms", output;
  bool json = false, csv = false;
};

Result<StatOptions> check(const RawStat& raw, const std::vector<std::string>& command) {
  StatOptions stat;
  if (command.empty()) {
    return fail(ErrorCode::kUsage,
                "stat: say which command to measure, after --: powertrace stat -- sleep 1");
  }
  if (raw.json && raw.csv) {
    return fail(ErrorCode::kUsage, "--json and --csv exclude each other");
  }
  stat.command = command;
  PT_ASSIGN(stat.runs, check_count("--repeat", raw.repeat));
  PT_ASSIGN(stat.window_ns, check_window(raw.window));
  stat.format = raw.json ? StatFormat::kJson : raw.csv ? StatFormat::kCsv : StatFormat::kTable;
  stat.output = raw.output;
  return stat;
}

void add_options(CLI::App& stat, RawStat& raw) {
  stat.add_option("-r,--repeat", raw.repeat, "run it so often: mean and standard deviation")
      ->type_name("N");
  stat.add_flag("--json", raw.json, "one JSON object, on standard output");
  stat.add_flag("--csv", raw.csv, "a line per run, on standard output");
  stat.add_option("-o,--output", raw.output, "write the result there, not among other output")
      ->type_name("FILE");
  stat.add_option("--window", raw.window, "attribution window")->type_name("DURATION");
  stat.footer("-- CMD ARGS...: the command to measure, with everything it starts");
}

}  // namespace

void add_stat(CommandLine& line) {
  auto raw = std::make_shared<RawStat>();
  CLI::App* stat = line.app.add_subcommand("stat", "Energy of a command and all it starts");
  add_options(*stat, *raw);
  line.checks.emplace_back("stat", [raw](const GlobalOptions&) -> Status {
    PT_TRY(check(*raw, {"any command"}));
    return {};
  });
  stat->callback([&line, raw] {
    line.takes_command = true;
    line.run = [&line, raw](const GlobalOptions& global) -> Result<int> {
      PT_ASSIGN(const StatOptions options, check(*raw, line.own_command));
      return run_stat(global, options);
    };
  });
}

}  // namespace powertrace
