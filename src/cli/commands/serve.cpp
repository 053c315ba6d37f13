// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <any>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

#include "base/parse.hpp"
#include "base/sysroot.hpp"
#include "cli/cmd_serve.hpp"
#include "cli/commands/agent_output_options.hpp"
#include "cli/commands/command.hpp"
#include "cli/commands/values.hpp"

namespace powertrace {
namespace {

constexpr std::uint64_t kShortestInterval = 1'000'000'000;
constexpr double kMaxJoules = 1e9;

struct RawServe {
  RawAgentOutputs outputs;
  std::vector<std::string> listen{"127.0.0.1:9102"}, allow, deny;
  std::string web_config, window = "1s", interval = "1s";
  std::string schema = "powertrace,kepler2", levels = "cgroup,container,pod,vm";
  std::string top, min_joules = "0", max_series = "100000", keep_terminated = "2m";
  std::string demo, demo_seed = "1";
  bool describe = false;
};

Result<std::vector<FilterRule>> rules(const char* option, const std::vector<std::string>& texts) {
  std::vector<FilterRule> parsed;
  for (const std::string& text : texts) {
    PT_ASSIGN(FilterRule rule, at_option(option, parse_filter_rule(text)));
    parsed.push_back(std::move(rule));
  }
  return parsed;
}

Result<std::array<bool, kAccountLevels>> levels(const std::string& list) {
  std::array<bool, kAccountLevels> shown{};
  std::size_t begin = 0;
  while (begin <= list.size()) {
    const std::size_t end = std::min(list.size(), list.find(',', begin));
    const std::string name = list.substr(begin, end - begin);
    begin = end + 1;
    if (name == "node") {
      continue;  // always there
    }
    PT_ASSIGN(const AccountLevel level, at_option("--levels", parse_account_level(name)));
    shown[static_cast<std::size_t>(level)] = true;
  }
  return shown;
}

// As Kubernetes tells it (--node-name, $NODE_NAME), else what the machine calls itself.
std::string node_name(const std::string& told) {
  if (!told.empty()) {
    return told;
  }
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

Status check_limits(const RawServe& raw, AgentConfig& agent) {
  if (!raw.top.empty()) {
    PT_ASSIGN(agent.account.top, check_count("--top-n", raw.top));
  }
  if (raw.max_series == "0") {
    agent.max_series = 0;
  } else {
    PT_ASSIGN(agent.max_series, check_count("--max-series", raw.max_series));
  }
  PT_ASSIGN(const double joules, at_option("--min-joules", parse_double(raw.min_joules)));
  if (joules < 0 || joules > kMaxJoules) {
    return fail(ErrorCode::kUsage, "--min-joules: {} is not between 0 and 1e9", raw.min_joules);
  }
  agent.account.min_nj = static_cast<std::int64_t>(joules * 1e9);
  PT_ASSIGN(agent.account.keep_ended_ns,
            at_option("--keep-terminated", parse_duration_ns(raw.keep_terminated)));
  return {};
}

Result<ServeOptions> check(const RawServe& raw, const PipelineConfig& pipeline) {
  ServeOptions serve;
  for (const std::string& text : raw.listen) {
    PT_ASSIGN(ListenAddress address, parse_listen_address(text));
    serve.listen.push_back(std::move(address));
  }
  serve.web_config = raw.web_config;
  PT_ASSIGN(serve.window_ns, check_window(raw.window));
  PT_ASSIGN(serve.interval_ns, at_option("--interval", parse_duration_ns(raw.interval)));
  if (serve.interval_ns < kShortestInterval) {
    return fail(ErrorCode::kUsage,
                "--interval {}: counters that change more often than once a second would tell what "
                "other programs compute; use 1s or more",
                raw.interval);
  }
  if (serve.interval_ns < serve.window_ns) {
    return fail(ErrorCode::kUsage,
                "--interval {} is shorter than --window {}: an interval is made of windows",
                raw.interval, raw.window);
  }
  AgentConfig& agent = serve.agent;
  agent.interval_ns = serve.interval_ns;
  PT_ASSIGN(agent.page.schemas, at_option("--schema", parse_schemas(raw.schema)));
  PT_ASSIGN(agent.page.levels, levels(raw.levels));
  agent.page.node_name = node_name(pipeline.names.kube.node_name);
  PT_ASSIGN(serve.outputs, check_agent_outputs(raw.outputs));
  serve.outputs.node = agent.page.node_name;
  if (const auto cpuinfo = read_file(pipeline.root.proc("cpuinfo"))) {
    agent.page.cpus = parse_cpuinfo(*cpuinfo);
  }
  PT_ASSIGN(agent.account.filter.allow, rules("--allow", raw.allow));
  PT_ASSIGN(agent.account.filter.deny, rules("--deny", raw.deny));
  PT_TRY(check_limits(raw, agent));
  if (!raw.demo.empty()) {
    DemoConfig& demo = serve.demo.emplace();
    PT_ASSIGN(demo.profile, at_option("--demo", parse_demo_profile(raw.demo)));
    PT_ASSIGN(demo.seed, check_count("--demo-seed", raw.demo_seed));
    demo.power = pipeline.synthetic;
  }
  return serve;
}

void add_options(CLI::App& serve, RawServe& raw) {
  const auto list = [&](const char* name, std::vector<std::string>& values, const char* help) {
    return serve.add_option(name, values, help)->delimiter(',')->allow_extra_args(false);
  };
  list("--listen", raw.listen, "where to listen; may be given more than once")
      ->type_name("ADDR:PORT");
  serve
      .add_option("--web.config-file", raw.web_config,
                  "TLS and users, in the format of Prometheus' exporter-toolkit")
      ->type_name("FILE");
  serve.add_option("--window", raw.window, "attribution window")->type_name("DURATION");
  serve.add_option("--interval", raw.interval, "time between snapshots, at least 1s")
      ->type_name("DURATION");
  serve.add_option("--schema", raw.schema, "metrics: powertrace, kepler2, kepler1")
      ->type_name("LIST");
  serve.add_option("--levels", raw.levels, "metrics of: node, cgroup, container, pod, vm, process")
      ->type_name("LIST");
  list("--allow", raw.allow, "only these have series: namespace=, cgroup=, comm= with a pattern")
      ->type_name("FIELD=PATTERN");
  list("--deny", raw.deny, "these have none; what has none is in [others]")
      ->type_name("FIELD=PATTERN");
  serve.add_option("--top-n", raw.top, "series for the N largest of a level")->type_name("N");
  serve.add_option("--min-joules", raw.min_joules, "series only from this energy on")
      ->type_name("J");
  serve.add_option("--max-series", raw.max_series, "series of all workloads; 0: no limit")
      ->type_name("N");
  serve.add_option("--keep-terminated", raw.keep_terminated, "how long what ended stays visible")
      ->type_name("DURATION");
  add_agent_output_options(serve, raw.outputs);
  serve.add_option("--demo", raw.demo, "show an invented node: idle, moderate, heavy")
      ->type_name("PROFILE");
  serve.add_option("--demo-seed", raw.demo_seed, "for other numbers of the same kind")
      ->type_name("N");
  serve.add_flag("--describe-metrics", raw.describe, "print the reference of all metrics");
}

}  // namespace

void add_serve(CommandLine& line) {
  auto raw = std::make_shared<RawServe>();
  CLI::App* serve = line.app.add_subcommand("serve", "The node agent: metrics, REST, web page");
  add_options(*serve, *raw);
  line.checks.emplace_back("serve", [raw](const GlobalOptions& global) -> Status {
    PT_TRY(check(*raw, global.pipeline));
    return {};
  });
  serve->callback([&line, raw] {
    line.parsed = raw;
    line.run = [&line, raw](const GlobalOptions& global) -> Result<int> {
      if (raw->describe) {
        return describe_all_metrics();
      }
      PT_ASSIGN(ServeOptions options, check(*raw, global.pipeline));
      options.reread = [&line, &pipeline = global.pipeline]() -> Result<ServeOptions> {
        PT_ASSIGN(const std::any again, line.reread());
        return check(*std::any_cast<std::shared_ptr<RawServe>>(again), pipeline);
      };
      return run_serve(global, options);
    };
  });
}

}  // namespace powertrace
