// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.hpp"

#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/log.hpp"
#include "base/parse.hpp"
#include "cli/exit_code.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "config/config_file.hpp"
#include "powertrace/version.h"

namespace powertrace {
namespace {

// Options as they were typed. Values are checked in one place, after the configuration file has
// filled in what the command line left open, so that both get the same messages.
struct RawGlobal {
  std::string config, sysfs = "/sys", procfs = "/proc";
  std::string source = "auto", synthetic, model = "auto", idle = "separate", idle_watts;
  std::string counters = "auto", budget = "0.5%";
  std::string log_level = "warn", log_format = "text";
  bool verbose = false;
};

struct RawTop {
  std::string by = "process", sort = "watts", window = "100ms", interval = "1s", filter, count;
  bool batch = false, json = false;
};

struct RawStat {
  std::string repeat = "1", window = "100ms", output;
  bool json = false, csv = false;
};

template <typename T>
Result<T> choose(const char* option,
                 const std::string& text,
                 const std::vector<std::pair<std::string, T>>& choices) {
  std::string names;
  for (const auto& [name, value] : choices) {
    if (text == name) {
      return value;
    }
    names += (names.empty() ? "" : ", ") + name;
  }
  return fail(ErrorCode::kUsage, "{}: \"{}\" is not one of {}", option, text, names);
}

template <typename T>
Result<T> at_option(const char* option, Result<T> parsed) {
  if (!parsed) {
    return tl::make_unexpected(with_context(parsed.error(), option));
  }
  return parsed;
}

Result<GlobalOptions> check(const RawGlobal& raw) {
  GlobalOptions global;
  PipelineConfig& config = global.pipeline;
  global.verbose = raw.verbose;
  config.root.sysfs = raw.sysfs;
  config.root.procfs = raw.procfs;
  PT_ASSIGN(config.sources, at_option("--source", parse_source_list(raw.source)));
  PT_ASSIGN(config.synthetic, at_option("--synthetic", parse_synthetic(raw.synthetic)));
  if (raw.model != "auto") {
    PT_ASSIGN(config.model, at_option("--model", parse_model(raw.model)));
  }
  PT_ASSIGN(config.idle, at_option("--idle", parse_idle_policy(raw.idle)));
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
  return global;
}

Result<std::uint64_t> check_window(const std::string& text) {
  PT_ASSIGN(const std::uint64_t window_ns, at_option("--window", parse_duration_ns(text)));
  if (window_ns < 5'000'000 || window_ns > 60'000'000'000) {
    return fail(ErrorCode::kUsage,
                "--window: {} is outside 5ms to 60s (energy counters move once a millisecond, so "
                "shorter windows would be noise)",
                text);
  }
  return window_ns;
}

Result<std::uint64_t> check_count(const char* option, const std::string& text) {
  PT_ASSIGN(const double count, at_option(option, parse_double(text)));
  if (count < 1 || count > 1e9 || count != static_cast<double>(static_cast<std::uint64_t>(count))) {
    return fail(ErrorCode::kUsage, "{}: {} is not a whole number from 1", option, text);
  }
  return static_cast<std::uint64_t>(count);
}

Result<TopOptions> check(const RawTop& raw) {
  TopOptions top;
  PT_ASSIGN(top.by, at_option("--by", parse_level(raw.by)));
  PT_ASSIGN(top.sort, at_option("--sort", parse_sort_key(raw.sort)));
  PT_ASSIGN(top.window_ns, check_window(raw.window));
  PT_ASSIGN(top.interval_ns, at_option("--interval", parse_duration_ns(raw.interval)));
  if (top.interval_ns < top.window_ns) {
    return fail(ErrorCode::kUsage,
                "--interval {} is shorter than --window {}: an interval is made of windows",
                raw.interval, raw.window);
  }
  if (!raw.count.empty()) {
    PT_ASSIGN(top.count, check_count("--count", raw.count));
  }
  top.filter = raw.filter;
  top.batch = raw.batch || raw.json;
  top.json = raw.json;
  return top;
}

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

void add_global_options(CLI::App& app, RawGlobal& raw) {
  app.add_option("--config", raw.config, "YAML file with these options as keys")->type_name("FILE");
  app.add_option("--sysfs", raw.sysfs, "where sysfs is mounted")->type_name("DIR");
  app.add_option("--procfs", raw.procfs, "where procfs is mounted")->type_name("DIR");
  app.add_option("--source", raw.source, "energy sources in order of preference, or auto")
      ->type_name("LIST");
  app.add_option("--synthetic", raw.synthetic, "the estimate's formula: idle=50,max=180,curve=amd")
      ->type_name("KEY=VAL,...");
  app.add_option("--model", raw.model, "how energy is divided: auto, time, cycles");
  app.add_option("--idle", raw.idle, "idle energy: separate, proportional, even, none");
  app.add_option("--idle-watts", raw.idle_watts,
                 "idle power of one package, instead of learning it")
      ->type_name("W");
  app.add_option("--counters", raw.counters, "hardware counters: auto, always, sampled, off");
  app.add_option("--overhead-budget", raw.budget, "CPU time that counter readings may take")
      ->type_name("SHARE");
  app.add_option("--log-level", raw.log_level, "debug, info, warn, error, off");
  app.add_option("--log-format", raw.log_format, "text, json");
  app.add_flag("--verbose", raw.verbose, "at the end, say what watching cost");
}

void add_top_options(CLI::App& top, RawTop& raw) {
  top.add_option("--by", raw.by, "rows: process, thread, comm, cgroup, container, pod");
  top.add_option("--sort", raw.sort, "watts, joules, cpu, name");
  top.add_option("--window", raw.window, "attribution window")->type_name("DURATION");
  top.add_option("--interval", raw.interval, "time between updates")->type_name("DURATION");
  top.add_option("--filter", raw.filter, "only rows that contain this")->type_name("TEXT");
  top.add_flag("--batch", raw.batch, "print tables one after the other instead of a screen");
  top.add_flag("--json", raw.json, "print one JSON object per interval and line");
  top.add_option("--count", raw.count, "stop after this many intervals")->type_name("N");
}

void add_stat_options(CLI::App& stat, RawStat& raw) {
  stat.add_option("-r,--repeat", raw.repeat, "run it so often: mean and standard deviation")
      ->type_name("N");
  stat.add_flag("--json", raw.json, "one JSON object, on standard output");
  stat.add_flag("--csv", raw.csv, "a line per run, on standard output");
  stat.add_option("-o,--output", raw.output, "write the result there, not among other output")
      ->type_name("FILE");
  stat.add_option("--window", raw.window, "attribution window")->type_name("DURATION");
  stat.footer("-- CMD ARGS...: the command to measure, with everything it starts");
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
Status apply_config(CLI::App& app, const std::string& path) {
  PT_ASSIGN(const std::vector<ConfigEntry> entries, read_config(path));
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

}  // namespace

Result<int> run_command_line(int argc, char** argv) {
  CLI::App app("Which thread, process, cgroup, container or pod used which joule.", "powertrace");
  app.set_version_flag("--version", "powertrace " POWERTRACE_VERSION);
  app.fallthrough();
  RawGlobal global;
  add_global_options(app, global);

  std::function<Result<int>(const GlobalOptions&)> command;
  RawTop top;
  CLI::App* top_app = app.add_subcommand("top", "Live power of everything that runs");
  add_top_options(*top_app, top);
  top_app->callback([&] {
    command = [&top](const GlobalOptions& checked) -> Result<int> {
      PT_ASSIGN(const TopOptions options, check(top));
      return run_top(checked, options);
    };
  });

  DoctorOptions doctor;
  CLI::App* doctor_app =
      app.add_subcommand("doctor", "Whether powertrace can work here, and what would help");
  doctor_app->add_flag("--json", doctor.json, "print one JSON object");
  doctor_app->callback([&] {
    command = [&doctor](const GlobalOptions& checked) { return run_doctor(checked, doctor); };
  });

  const std::vector<std::string> own_command = cut_command(argc, argv);
  RawStat stat;
  CLI::App* stat_app = app.add_subcommand("stat", "Energy of a command and all it starts");
  add_stat_options(*stat_app, stat);
  stat_app->callback([&] {
    command = [&](const GlobalOptions& checked) -> Result<int> {
      PT_ASSIGN(const StatOptions options, check(stat, own_command));
      return run_stat(checked, options);
    };
  });

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& printed) {
    std::ostringstream text;
    const int code = app.exit(printed, text);
    PT_TRY(write_stdout(text.str()));
    return code;
  } catch (const CLI::ParseError& error) {
    return fail(ErrorCode::kUsage, "{}; see `powertrace --help`{}", error.what(),
                stat_app->parsed() ? "; a command to measure goes after --" : "");
  }
  if (!own_command.empty() && !stat_app->parsed()) {
    return fail(ErrorCode::kUsage, "only stat takes a command after --");
  }
  if (!command) {
    return fail(ErrorCode::kUsage, "no command is given; see `powertrace --help`");
  }
  if (!global.config.empty()) {
    PT_TRY(apply_config(app, global.config));
  }
  PT_ASSIGN(const GlobalOptions checked, check(global));
  return command(checked);
}

}  // namespace powertrace
