// SPDX-License-Identifier: Apache-2.0
#include "history/prometheus_client.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <nlohmann/json.hpp>

#include "base/parse.hpp"

namespace powertrace {
namespace {

using Json = nlohmann::json;

// The servers' limit is 11 000 points.
constexpr std::int64_t kMostPoints = 10'000;

std::string seconds(UtcMs ms) {
  return fmt::format("{}.{:03}", ms / 1000, ms % 1000);
}

Status add_value(const Json& pair, MetricSeries& series) {
  if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number() || !pair[1].is_string()) {
    return fail(ErrorCode::kMalformed, "a sample is not [time, \"value\"]");
  }
  const auto& text = pair[1].get_ref<const std::string&>();
  const double time = pair[0].get<double>();
  if (!(std::fabs(time) < 1e12)) {
    return fail(ErrorCode::kMalformed, "a sample has an impossible time");
  }
  if (const auto value = parse_double(text)) {
    series.values.emplace_back(static_cast<UtcMs>(std::llround(time * 1e3)), *value);
  } else if (text != "NaN" && text != "+Inf" && text != "-Inf" && text != "Inf") {
    return fail(ErrorCode::kMalformed, "a sample's value is no number");
  }
  return {};
}

Result<MetricSeries> parse_series(const Json& entry) {
  MetricSeries series;
  if (!entry.is_object() || !entry.contains("metric") || !entry["metric"].is_object()) {
    return fail(ErrorCode::kMalformed, "a series has no labels");
  }
  for (const auto& [name, value] : entry["metric"].items()) {
    if (!value.is_string()) {
      return fail(ErrorCode::kMalformed, "a label is no text");
    }
    series.labels[name] = value.get<std::string>();
  }
  if (const auto one = entry.find("value"); one != entry.end()) {
    PT_TRY(add_value(*one, series));
  }
  if (const auto many = entry.find("values"); many != entry.end()) {
    if (!many->is_array()) {
      return fail(ErrorCode::kMalformed, "a series has no list of values");
    }
    for (const Json& pair : *many) {
      PT_TRY(add_value(pair, series));
    }
  }
  return series;
}

// Appends the values of each later series to the one with the same labels.
void append(std::vector<MetricSeries>& all, std::vector<MetricSeries> more) {
  std::map<std::map<std::string, std::string>, std::size_t> index;
  for (std::size_t i = 0; i < all.size(); ++i) {
    index.emplace(all[i].labels, i);
  }
  for (MetricSeries& series : more) {
    const auto found = index.find(series.labels);
    if (found == index.end()) {
      all.push_back(std::move(series));
      continue;
    }
    auto& values = all[found->second].values;
    values.insert(values.end(), series.values.begin(), series.values.end());
  }
}

}  // namespace

const std::string& MetricSeries::label(const std::string& name) const {
  static const std::string kNone;
  const auto found = labels.find(name);
  return found == labels.end() ? kNone : found->second;
}

Result<std::vector<MetricSeries>> parse_prometheus_answer(std::string_view body) {
  const Json json = Json::parse(body, nullptr, false);
  if (json.is_discarded() || !json.is_object() || !json.contains("status")) {
    return fail(ErrorCode::kMalformed, "the answer is not that of a Prometheus");
  }
  if (json["status"] != "success") {
    const Json error = json.value("error", Json());
    return fail(ErrorCode::kUsage, "it refused the query: {}",
                error.is_string() ? error.get<std::string>().substr(0, 300) : "without a reason");
  }
  const Json data = json.value("data", Json());
  if (!data.is_object() || !data.contains("result") || !data["result"].is_array()) {
    return fail(ErrorCode::kMalformed, "the answer has no result");
  }
  std::vector<MetricSeries> all;
  for (const Json& entry : data["result"]) {
    PT_ASSIGN(MetricSeries series, parse_series(entry));
    all.push_back(std::move(series));
  }
  return all;
}

Result<PrometheusClient> PrometheusClient::create(PrometheusConfig config) {
  while (!config.url.empty() && config.url.back() == '/') {
    config.url.pop_back();
  }
  if (config.url.rfind("http://", 0) != 0 && config.url.rfind("https://", 0) != 0) {
    return fail(ErrorCode::kUsage,
                "--prometheus: \"{}\" is not the address of a Prometheus: write it as in "
                "http://prometheus:9090",
                redact_url(config.url));
  }
  return PrometheusClient(std::move(config));
}

std::string PrometheusClient::describe() const {
  return "Prometheus at " + redact_url(config_.url);
}

Result<std::vector<MetricSeries>> PrometheusClient::ask(const std::string& path,
                                                        const std::string& form) const {
  HttpRequest request;
  request.method = HttpMethod::kPost;  // long queries do not fit into URLs
  request.url = config_.url + path;
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  request.body = form;
  request.timeout_ns = config_.timeout_ns;
  request.max_response_bytes = config_.max_bytes;
  request.tls = config_.tls;
  request.bearer_token_file = config_.bearer_token_file;
  request.user = config_.user;
  request.password = config_.password;
  const auto response = http_send(request);
  if (!response) {
    Error error = with_context(response.error(), describe());
    // A local file that cannot be read is ours to repair; everything else may pass.
    const bool local = http_failure(error) == HttpFailure::kNone;
    error.code = local ? ErrorCode::kPermission : ErrorCode::kBusy;
    return tl::make_unexpected(std::move(error));
  }
  if (response->status == 401 || response->status == 403) {
    return fail(ErrorCode::kPermission, "{} refuses access ({}): give --prometheus-bearer-file",
                describe(), response->status);
  }
  auto series = parse_prometheus_answer(response->body);
  if (!series) {
    Error error =
        with_context(series.error(), fmt::format("{} (HTTP {})", describe(), response->status));
    error.code = response->status >= 500 || response->status == 429 ? ErrorCode::kBusy : error.code;
    return tl::make_unexpected(std::move(error));
  }
  return series;
}

Result<std::vector<MetricSeries>> PrometheusClient::query(const std::string& promql,
                                                          UtcMs time) const {
  return ask("/api/v1/query", "query=" + url_encode(promql) + "&time=" + seconds(time));
}

Result<std::vector<MetricSeries>> PrometheusClient::query_range(const std::string& promql,
                                                                UtcMs start,
                                                                UtcMs end,
                                                                UtcMs step) const {
  std::vector<MetricSeries> all;
  for (UtcMs from = start; from <= end; from += kMostPoints * step) {
    const UtcMs to = std::min(end, from + (kMostPoints - 1) * step);
    PT_ASSIGN(std::vector<MetricSeries> part,
              ask("/api/v1/query_range",
                  fmt::format("query={}&start={}&end={}&step={}", url_encode(promql), seconds(from),
                              seconds(to), seconds(step))));
    append(all, std::move(part));
  }
  return all;
}

}  // namespace powertrace
