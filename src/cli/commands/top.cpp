// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>

#include "base/parse.hpp"
#include "cli/cmd_top.hpp"
#include "cli/commands/command.hpp"
#include "cli/commands/values.hpp"

namespace powertrace {
namespace {

struct RawTop {
  std::string by = "process", sort = "watts", window = "100ms", interval = "1s", filter, count;
  bool batch = false, json = false;
};

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

void add_options(CLI::App& top, RawTop& raw) {
  top.add_option("--by", raw.by, "rows: process, thread, comm, cgroup, container, pod, vm");
  top.add_option("--sort", raw.sort, "watts, joules, cpu, name");
  top.add_option("--window", raw.window, "attribution window")->type_name("DURATION");
  top.add_option("--interval", raw.interval, "time between updates")->type_name("DURATION");
  top.add_option("--filter", raw.filter, "only rows that contain this")->type_name("TEXT");
  top.add_flag("--batch", raw.batch, "print tables one after the other instead of a screen");
  top.add_flag("--json", raw.json, "print one JSON object per interval and line");
  top.add_option("--count", raw.count, "stop after this many intervals")->type_name("N");
}

}  // namespace

void add_top(CommandLine& line) {
  auto raw = std::make_shared<RawTop>();
  CLI::App* top = line.app.add_subcommand("top", "Live power of everything that runs");
  add_options(*top, *raw);
  line.checks.emplace_back("top", [raw](const GlobalOptions&) -> Status {
    PT_TRY(check(*raw));
    return {};
  });
  top->callback([&line, raw] {
    line.run = [raw](const GlobalOptions& global) -> Result<int> {
      PT_ASSIGN(const TopOptions options, check(*raw));
      return run_top(global, options);
    };
  });
}

}  // namespace powertrace
