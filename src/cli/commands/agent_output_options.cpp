// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/agent_output_options.hpp"

#include "base/parse.hpp"
#include "cli/commands/cost_options.hpp"
#include "cli/commands/values.hpp"
#include "push/http_sinks.hpp"
#include "push/redis_sink.hpp"

namespace powertrace {

void add_agent_output_options(CLI::App& serve, RawAgentOutputs& raw) {
  AgentOutputOptions& options = raw.options;
  serve
      .add_option("--history", options.history,
                  "keep the node's history in this file, for cost and /api/v1/cost")
      ->type_name("FILE");
  serve.add_option("--history-size", raw.size, "most that its files may take")->type_name("MIB");
  serve.add_option("--history-minutes", raw.minutes, "how long minutes are kept")
      ->type_name("DURATION");
  serve.add_option("--history-hours", raw.hours, "how long hours are kept")->type_name("DURATION");
  add_cost_options(serve, options.rates);
  serve.add_option("--push-interval", raw.push_interval, "time between batches that are pushed")
      ->type_name("DURATION");
  serve.add_option("--push-redis", options.redis, "stream and hashes: redis://host:6379")
      ->type_name("URL");
  serve.add_option("--push-redis-password-file", options.redis_password_file, "its password")
      ->type_name("FILE");
  serve
      .add_option("--push-influx", options.influx,
                  "InfluxDB: http://host:8086?db=NAME, or ?org=NAME&bucket=NAME for version 2")
      ->type_name("URL");
  serve.add_option("--push-influx-token-file", options.influx_token_file, "its token")
      ->type_name("FILE");
  serve
      .add_option("--push-remote-write", options.remote_write,
                  "Prometheus' remote-write: http://host:9090")
      ->type_name("URL");
  serve
      .add_option("--push-remote-write-token-file", options.remote_write_token_file,
                  "its bearer token")
      ->type_name("FILE");
  serve.add_option("--push-otlp", options.otlp, "OpenTelemetry over HTTP: http://host:4318")
      ->type_name("URL");
  serve.add_option("--push-otlp-token-file", options.otlp_token_file, "its bearer token")
      ->type_name("FILE");
  serve.add_option("--push-file", options.json_lines, "JSON lines")->type_name("FILE");
}

Result<AgentOutputOptions> check_agent_outputs(const RawAgentOutputs& raw) {
  AgentOutputOptions options = raw.options;
  PT_ASSIGN(const std::uint64_t mib, check_count("--history-size", raw.size));
  if (mib < 16 || mib > 1'000'000) {
    return fail(ErrorCode::kUsage, "--history-size: {} is not between 16 and 1000000 MiB",
                raw.size);
  }
  options.history_limits.bytes = static_cast<std::int64_t>(mib << 20U);
  const auto duration = [](const char* option, const std::string& text) -> Result<UtcMs> {
    PT_ASSIGN(const std::uint64_t ns, at_option(option, parse_duration_ns(text)));
    if (ns < 3'600'000'000'000) {
      return fail(ErrorCode::kUsage, "{}: {} is less than an hour", option, text);
    }
    return static_cast<UtcMs>(ns / 1'000'000U);
  };
  PT_ASSIGN(options.history_limits.minutes_ms, duration("--history-minutes", raw.minutes));
  PT_ASSIGN(options.history_limits.hours_ms, duration("--history-hours", raw.hours));
  PT_ASSIGN(options.push_interval_ns,
            at_option("--push-interval", parse_duration_ns(raw.push_interval)));
  if (options.push_interval_ns < 1'000'000'000) {
    return fail(ErrorCode::kUsage, "--push-interval: {} is less than a second", raw.push_interval);
  }
  PT_TRY(check_rates(options.rates));
  // Addresses are checked here, so that a wrong one is told before anything starts.
  if (!options.redis.empty()) {
    PT_TRY(parse_redis_url(options.redis));
  }
  if (!options.influx.empty()) {
    PT_TRY(parse_influx_url(options.influx));
  }
  if (!options.remote_write.empty()) {
    PT_TRY(parse_remote_write_url(options.remote_write));
  }
  if (!options.otlp.empty()) {
    PT_TRY(parse_otlp_url(options.otlp));
  }
  return options;
}

}  // namespace powertrace
