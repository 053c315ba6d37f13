// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.hpp"

#include <any>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/log.hpp"
#include "base/parse.hpp"
#include "cli/commands/command.hpp"
#include "cli/commands/names.hpp"
#include "cli/commands/values.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "config/config_file.hpp"
#include "powertrace/version.h"

namespace powertrace {
namespace {

struct RawGlobal {
  std::string config, sysfs = "/sys", procfs = "/proc";
  std::string source = "auto", synthetic, model = "auto", idle, idle_watts;
  std::string counters = "auto", budget = "0.5%";
  std::string log_level = "warn", log_format = "text";
  bool verbose = false;
  RawNames names;
};

Result<GlobalOptions> check(const RawGlobal& raw) {
  GlobalOptions global;
  PipelineConfig& config = global.pipeline;
  global.verbose = raw.verbose;
  config.root.sysfs = raw.sysfs;
  config.root.procfs = raw.procfs;
  constexpr std::string_view kReplay = "replay:";
  const bool replay = raw.source.starts_with(kReplay);
  global.replay = replay ? raw.source.substr(kReplay.size()) : "";
  PT_ASSIGN(config.sources, at_option("--source", parse_source_list(replay ? "auto" : raw.source)));
  PT_ASSIGN(config.synthetic, at_option("--synthetic", parse_synthetic(raw.synthetic)));
  if (raw.model != "auto") {
    PT_ASSIGN(config.model, at_option("--model", parse_model(raw.model)));
  }
  if (!raw.idle.empty()) {
    PT_ASSIGN(config.idle, at_option("--idle", parse_idle_policy(raw.idle)));
    global.idle = config.idle;
  }
  if (!raw.idle_watts.empty()) {
    PT_ASSIGN(const double watts, at_option("--idle-watts", parse_double(raw.idle_watts)));
    if (watts < 0 || watts > 1e6) {
      return fail(ErrorCode::kUsage,
                  "--idle-watts: {} is not a power a socket can have; give watts, e.g. 12.5",
                  raw.idle_watts);
    }
    config.idle_milliwatts = static_cast<std::int64_t>(watts * 1e3);
  }
  PT_ASSIGN(config.trace.counters, choose<CounterMode>("--counters", raw.counters,
                                                       {{"auto", CounterMode::kAuto},
                                                        {"always", CounterMode::kAlways},
                                                        {"sampled", CounterMode::kSampled},
                                                        {"off", CounterMode::kOff}}));
  PT_ASSIGN(config.trace.budget, at_option("--overhead-budget", parse_fraction(raw.budget)));
  PT_ASSIGN(const LogLevel level, choose<LogLevel>("--log-level", raw.log_level,
                                                   {{"debug", LogLevel::kDebug},
                                                    {"info", LogLevel::kInfo},
                                                    {"warn", LogLevel::kWarn},
                                                    {"error", LogLevel::kError},
                                                    {"off", LogLevel::kOff}}));
  PT_ASSIGN(const LogFormat format,
            choose<LogFormat>("--log-format", raw.log_format,
                              {{"text", LogFormat::kText}, {"json", LogFormat::kJson}}));
  log_init(level, format);
  PT_ASSIGN(config.names, check(raw.names));
  return global;
}

void add_global_options(CLI::App& app, RawGlobal& raw) {
  app.add_option("--config", raw.config, "YAML file with these options as keys")->type_name("FILE");
  app.add_option("--sysfs", raw.sysfs, "where sysfs is mounted")->type_name("DIR");
  app.add_option("--procfs", raw.procfs, "where procfs is mounted")->type_name("DIR");
  app.add_option("--source", raw.source,
                 "energy sources in order of preference, auto, or replay:FILE")
      ->type_name("LIST");
  app.add_option("--synthetic", raw.synthetic, "the estimate's formula: idle=50,max=180,curve=amd")
      ->type_name("KEY=VAL,...");
  app.add_option("--model", raw.model, "how energy is divided: auto, time, cycles");
  app.add_option("--idle", raw.idle, "idle energy: separate (default), proportional, even, none");
  app.add_option("--idle-watts", raw.idle_watts,
                 "idle power of one package, instead of learning it")
      ->type_name("W");
  app.add_option("--counters", raw.counters, "hardware counters: auto, always, sampled, off");
  app.add_option("--overhead-budget", raw.budget,
                 "share of CPU time that watching switches may take")
      ->type_name("SHARE");
  add_names_options(app, raw.names);
  app.add_option("--log-level", raw.log_level, "debug, info, warn, error, off");
  app.add_option("--log-format", raw.log_format, "text, json");
  app.add_flag("--verbose", raw.verbose, "at the end, say what watching cost");
}

// What follows the first "--" is a command of the user's, which CLI11 must not read.
std::vector<std::string> cut_command(int& argc, char** argv) {
  std::vector<std::string> command;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--") {
      command.assign(argv + i + 1, argv + argc);
      argc = i;
    }
  }
  return command;
}

// Fills options that were not on the command line from the configuration file.
Status apply_config(CommandLine& line, const std::string& path) {
  CLI::App& app = line.app;
  PT_ASSIGN(const std::vector<ConfigEntry> entries, at_option("--config", read_config(path)));
  std::map<std::string, CLI::Option*> options;
  std::vector<std::string> known;
  const auto collect = [&](CLI::App& owner, const std::string& prefix) {
    for (CLI::Option* option : owner.get_options()) {
      for (const std::string& name : option->get_lnames()) {
        if (name != "help" && name != "version" && name != "config") {
          options[prefix + name] = option;
          known.push_back(prefix + name);
        }
      }
    }
  };
  collect(app, "");
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
    collect(*command, command->get_name() + ".");
  }
  PT_TRY(check_config_keys(path, entries, known));
  for (const ConfigEntry& entry : entries) {
    line.sections.insert(entry.key.substr(0, entry.key.find('.')));
    CLI::Option* option = options.at(entry.key);
    if (option->count() > 0) {
      continue;
    }
    try {
      option->add_result(entry.value);
      option->run_callback();
    } catch (const CLI::Error& error) {
      return fail(ErrorCode::kUsage, "{}:{}: {}", path, entry.line, error.what());
    }
  }
  return {};
}

Status parse(CommandLine& line, RawGlobal& global, int argc, char** argv) {
  line.app.fallthrough();
  add_global_options(line.app, global);
  for (const auto add : {add_top, add_stat, add_serve, add_cost, add_collector, add_cap, add_market,
                         add_doctor, add_selftest, add_config}) {
    add(line);
  }
  add_record(line);
  add_report(line);
  add_export(line);
  add_diff(line);
  line.app.parse(argc, argv);  // throws
  if (line.config_file.empty()) {
    line.config_file = global.config;
  }
  return line.config_file.empty() ? Status() : apply_config(line, line.config_file);
}

// The same command line once more, with the configuration file as it is now.
Result<std::any> parse_again(std::vector<char*> arguments) {
  CLI::App app;
  RawGlobal global;
  CommandLine line{.app = app, .own_command = {}};
  try {
    PT_TRY(parse(line, global, static_cast<int>(arguments.size()), arguments.data()));
  } catch (const CLI::Error& error) {
    return fail(ErrorCode::kUsage, "{}", error.what());
  }
  return line.parsed;
}

}  // namespace

Result<int> run_command_line(int argc, char** argv) {
  CLI::App app("Which thread, process, cgroup, container or pod used which joule.", "powertrace");
  app.set_version_flag("--version", "powertrace " POWERTRACE_VERSION);
  RawGlobal global;
  CommandLine line{.app = app, .own_command = cut_command(argc, argv)};
  line.reread = [arguments = std::vector<char*>(argv, argv + argc)] {
    return parse_again(arguments);
  };
  try {
    PT_TRY(parse(line, global, argc, argv));
  } catch (const CLI::Success& printed) {
    std::ostringstream text;
    const int code = app.exit(printed, text);
    PT_TRY(write_stdout(text.str()));
    return code;
  } catch (const CLI::ParseError& error) {
    return fail(ErrorCode::kUsage, "{}; see `powertrace --help`{}", error.what(),
                app.got_subcommand("stat") ? "; a command to measure goes after --" : "");
  }
  if (!line.own_command.empty() && !line.takes_command) {
    return fail(ErrorCode::kUsage, "only commands such as stat take a command after --");
  }
  if (!line.run) {
    return fail(ErrorCode::kUsage, "no command is given; see `powertrace --help`");
  }
  PT_ASSIGN(const GlobalOptions checked, check(global));
  return line.run(checked);
}

}  // namespace powertrace
