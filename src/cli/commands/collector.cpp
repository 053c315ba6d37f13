// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>
#include <vector>

#include "base/parse.hpp"
#include "cli/cmd_collector.hpp"
#include "cli/commands/command.hpp"
#include "cli/commands/cost_options.hpp"
#include "cli/commands/prometheus_options.hpp"
#include "cli/commands/values.hpp"

namespace powertrace {
namespace {

struct RawCollector {
  RawPrometheus prometheus;
  CostModelOptions rates;
  std::vector<std::string> listen{"127.0.0.1:9103"};
  std::string web_config, token_file;
};

Result<CollectorOptions> check(const RawCollector& raw) {
  if (raw.prometheus.url.empty()) {
    return fail(ErrorCode::kUsage,
                "collector: say where the metrics are: --prometheus http://prometheus:9090");
  }
  CollectorOptions options;
  PT_ASSIGN(options.store, check_prometheus(raw.prometheus));
  options.rates = raw.rates;
  for (const std::string& text : raw.listen) {
    PT_ASSIGN(ListenAddress address, parse_listen_address(text));
    options.listen.push_back(std::move(address));
  }
  options.web_config = raw.web_config;
  options.token_file = raw.token_file;
  return options;
}

}  // namespace

void add_prometheus_options(CLI::App& command, RawPrometheus& raw) {
  command
      .add_option("--prometheus", raw.url, "Prometheus or VictoriaMetrics that scraped the nodes")
      ->type_name("URL");
  command.add_option("--schema", raw.schema,
                     "whose metrics: powertrace, kepler2 (0.10 on), kepler1 (to 0.9), auto");
  command.add_option("--node-label", raw.node_label, "label that names the node, if not the usual")
      ->type_name("NAME");
  command
      .add_option("--prometheus-bearer-file", raw.bearer_file,
                  "token for the Prometheus, read anew")
      ->type_name("FILE");
  command.add_option("--prometheus-ca-file", raw.ca_file, "authorities that may sign for it")
      ->type_name("FILE");
  command.add_option("--prometheus-timeout", raw.timeout, "of one request")->type_name("DURATION");
}

Result<PrometheusStoreConfig> check_prometheus(const RawPrometheus& raw) {
  PrometheusStoreConfig config;
  config.server.url = raw.url;
  config.server.bearer_token_file = raw.bearer_file;
  config.server.tls.ca_file = raw.ca_file;
  config.schema = raw.schema;
  config.node_label = raw.node_label;
  PT_ASSIGN(config.server.timeout_ns,
            at_option("--prometheus-timeout", parse_duration_ns(raw.timeout)));
  if (config.server.timeout_ns == 0) {
    return fail(ErrorCode::kUsage, "--prometheus-timeout: 0 would wait for ever");
  }
  return config;
}

void add_collector(CommandLine& line) {
  auto raw = std::make_shared<RawCollector>();
  CLI::App* collector = line.app.add_subcommand(
      "collector", "Cost service of a cluster, on the metrics of its Prometheus");
  add_prometheus_options(*collector, raw->prometheus);
  collector->add_option("--listen", raw->listen, "addresses to serve on")
      ->type_name("ADDR:PORT")
      ->delimiter(',');
  collector
      ->add_option("--web.config-file", raw->web_config,
                   "TLS and users, in the format of Prometheus' exporter-toolkit")
      ->type_name("FILE");
  collector->add_option("--token-file", raw->token_file, "requests need this bearer token")
      ->type_name("FILE");
  add_cost_options(*collector, raw->rates);
  line.checks.emplace_back("collector", [raw](const GlobalOptions&) -> Status {
    PT_ASSIGN(const CollectorOptions options, check(*raw));
    return check_rates(options.rates);
  });
  collector->callback([&line, raw] {
    line.run = [raw](const GlobalOptions&) -> Result<int> {
      PT_ASSIGN(const CollectorOptions options, check(*raw));
      return run_collector(options);
    };
  });
}

}  // namespace powertrace
