// SPDX-License-Identifier: Apache-2.0
//
// How a command puts itself on the command line: one add_...() per command, one file each. Values
// are kept as they were typed and checked when the command runs, after the configuration file has
// filled in what the command line left open, so that both get the same messages.
#pragma once

#include <any>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/result.hpp"
#include "cli/options.hpp"

namespace powertrace {

struct CommandLine {
  using Run = std::function<Result<int>(const GlobalOptions&)>;

  CLI::App& app;
  std::vector<std::string> own_command;  // what follows "--": a command of the user's
  Run run = {};                          // of the command that was given
  bool takes_command = false;            // it wants what follows "--"
  std::string config_file = {};          // to read instead of that of --config
  std::set<std::string> sections = {};   // commands that the configuration file has options of
  // Checks of each command's options as they stand, for `config check`.
  std::vector<std::pair<std::string, std::function<Status(const GlobalOptions&)>>> checks = {};
  std::any parsed = {};  // by the command that was given, for reread()
  // `parsed` of the same command line with the configuration file as it is now.
  std::function<Result<std::any>()> reread = {};
};

void add_top(CommandLine& line);
void add_stat(CommandLine& line);
void add_record(CommandLine& line);
void add_report(CommandLine& line);
void add_export(CommandLine& line);
void add_diff(CommandLine& line);
void add_doctor(CommandLine& line);
void add_selftest(CommandLine& line);
void add_cap(CommandLine& line);
void add_market(CommandLine& line);
void add_cost(CommandLine& line);
void add_collector(CommandLine& line);
void add_serve(CommandLine& line);
void add_config(CommandLine& line);

}  // namespace powertrace
