// SPDX-License-Identifier: Apache-2.0
#include "cli/agent_outputs.hpp"

#include <array>
#include <utility>

#include "history/database.hpp"
#include "push/http_sinks.hpp"
#include "push/json_lines.hpp"
#include "push/redis_sink.hpp"
#include "serve/cost_api.hpp"
#include "serve/labels.hpp"
#include "serve/web_page.hpp"

namespace powertrace {
namespace {

constexpr std::array<MetricFamily, 8> kFamilies{{
    {"powertrace_history_minutes_total", MetricType::kCounter, "Minutes written to the history.",
     ""},
    {"powertrace_history_dropped_intervals_total", MetricType::kCounter,
     "Snapshots that the history did not take in time.", ""},
    {"powertrace_history_dropped_minutes_total", MetricType::kCounter,
     "Minutes that could not be written to the history.", ""},
    {"powertrace_history_failures_total", MetricType::kCounter,
     "Attempts to write to the history that failed.", ""},
    {"powertrace_push_batches_total", MetricType::kCounter, "Batches that a sink took.", "sink"},
    {"powertrace_push_dropped_batches_total", MetricType::kCounter,
     "Batches dropped: the queue was full or the sink refused them.", "sink"},
    {"powertrace_push_failures_total", MetricType::kCounter, "Attempts to send that failed.",
     "sink"},
    {"powertrace_push_queued_batches", MetricType::kGauge, "Batches that wait to be sent.", "sink"},
}};

void write_history(const HistoryStats& stats, MetricsWriter& out) {
  const std::array<std::uint64_t, 4> values{stats.minutes, stats.dropped_intervals,
                                            stats.dropped_minutes, stats.failures};
  for (std::size_t i = 0; i < values.size(); ++i) {
    out.family(kFamilies[i]);
    out.integer("", "", static_cast<std::int64_t>(values[i]));
  }
}

void write_push(const std::vector<SinkStats>& sinks, MetricsWriter& out) {
  constexpr std::array<std::uint64_t SinkStats::*, 4> kValues{
      &SinkStats::sent, &SinkStats::dropped, &SinkStats::failures, &SinkStats::queued};
  for (std::size_t i = 0; i < kValues.size(); ++i) {
    out.family(kFamilies[4 + i]);
    for (const SinkStats& sink : sinks) {
      out.integer(label_list({{"sink", sink.name}}), "",
                  static_cast<std::int64_t>(sink.*kValues[i]));
    }
  }
}

Result<std::vector<std::unique_ptr<Sink>>> make_sinks(const AgentOutputOptions& options) {
  std::vector<std::unique_ptr<Sink>> sinks;
  if (!options.redis.empty()) {
    PT_ASSIGN(RedisConfig config, parse_redis_url(options.redis));
    config.password_file = options.redis_password_file;
    sinks.push_back(make_redis_sink(std::move(config)));
  }
  const auto add_http = [&](const std::string& url, const std::string& token_file,
                            auto parse) -> Status {
    if (!url.empty()) {
      PT_ASSIGN(HttpSinkConfig config, parse(url));
      config.token_file = token_file;
      sinks.push_back(make_http_sink(std::move(config)));
    }
    return {};
  };
  PT_TRY(add_http(options.influx, options.influx_token_file, parse_influx_url));
  PT_TRY(add_http(options.remote_write, options.remote_write_token_file, parse_remote_write_url));
  PT_TRY(add_http(options.otlp, options.otlp_token_file, parse_otlp_url));
  if (!options.json_lines.empty()) {
    sinks.push_back(make_file_sink(options.json_lines));
  }
  return sinks;
}

}  // namespace

std::span<const MetricFamily> agent_output_families() {
  return kFamilies;
}

Result<AgentOutputs> AgentOutputs::open(const AgentOutputOptions& options) {
  AgentOutputs outputs;
  PT_ASSIGN(outputs.model_, open_live_cost_model(options.rates));
  PT_ASSIGN(auto sinks, make_sinks(options));
  if (!options.history.empty()) {
    PT_ASSIGN(std::unique_ptr<HistoryDatabase> database,
              HistoryDatabase::open(options.history, options.history_limits));
    outputs.database_ = std::move(database);
    outputs.writer_ = std::make_unique<HistoryWriter>(outputs.database_,
                                                      MinuteFolder(options.node, passwd_names()));
  }
  if (!sinks.empty()) {
    outputs.hub_ = std::make_unique<PushHub>(BatchFolder(options.node, options.push_interval_ns),
                                             std::move(sinks));
  }
  return outputs;
}

void AgentOutputs::add(const SnapshotPtr& snapshot) {
  if (writer_) {
    writer_->add(snapshot);
  }
  if (hub_) {
    hub_->add(snapshot);
  }
}

void AgentOutputs::add_routes(Router& router) const {
  CostApiConfig config;
  config.store = database_;
  config.model = model_;
  config.program = ApiOwner::kServe;
  add_cost_routes(router, config);
  add_cost_page(router);
}

MetricSource AgentOutputs::metrics() const {
  const auto write = [writer = writer_.get(), hub = hub_.get()](MetricsWriter& out) {
    if (writer != nullptr) {
      write_history(writer->stats(), out);
    }
    if (hub != nullptr) {
      write_push(hub->stats(), out);
    }
  };
  return {kFamilies, write};
}

}  // namespace powertrace
