// SPDX-License-Identifier: Apache-2.0
#include "push/http_sinks.hpp"

#include <snappy.h>

#include "base/sysroot.hpp"
#include "powertrace/version.h"
#include "push/line_protocol.hpp"
#include "push/protobuf.hpp"

namespace powertrace {
namespace {

class HttpSink final : public Sink {
 public:
  explicit HttpSink(HttpSinkConfig config) : config_(std::move(config)) {}

  [[nodiscard]] std::string name() const override {
    const char* format = config_.format == HttpFormat::kInflux        ? "influx"
                         : config_.format == HttpFormat::kRemoteWrite ? "remote-write"
                                                                      : "otlp";
    return std::string(format) + " " + redact_url(config_.url);
  }

  Status send(const PushBatch& batch) override {
    HttpRequest request;
    request.method = HttpMethod::kPost;
    request.url = config_.url;
    request.timeout_ns = config_.timeout_ns;
    request.max_response_bytes = 1U << 20U;
    request.headers = {{"User-Agent", "powertrace/" POWERTRACE_VERSION}};
    fill_body(request, batch);
    PT_TRY(authorize(request));
    const auto response = http_send(request);
    if (!response) {
      Error error = response.error();
      error.code = http_failure(error) == HttpFailure::kNone ? error.code : ErrorCode::kBusy;
      return tl::make_unexpected(std::move(error));
    }
    if (response->ok()) {
      return {};
    }
    const bool again = response->status == 429 || response->status >= 500 ||
                       response->status == 401 || response->status == 403;
    return fail(again ? ErrorCode::kBusy : ErrorCode::kIo, "it answers {}: {}", response->status,
                response->body.substr(0, 200));
  }

 private:
  void fill_body(HttpRequest& request, const PushBatch& batch) const {
    if (config_.format == HttpFormat::kInflux) {
      request.headers.push_back({"Content-Type", "text/plain; charset=utf-8"});
      request.body = influx_lines(batch);
      return;
    }
    request.headers.push_back({"Content-Type", "application/x-protobuf"});
    if (config_.format == HttpFormat::kOtlp) {
      request.body = otlp_request(batch);
      return;
    }
    request.headers.push_back({"Content-Encoding", "snappy"});
    request.headers.push_back({"X-Prometheus-Remote-Write-Version", "0.1.0"});
    const std::string message = remote_write_request(batch);
    snappy::Compress(message.data(), message.size(), &request.body);
  }

  Status authorize(HttpRequest& request) const {
    if (config_.token_file.empty()) {
      return {};
    }
    if (config_.format != HttpFormat::kInflux) {
      request.bearer_token_file = config_.token_file;
      return {};
    }
    auto token = read_trimmed(config_.token_file);
    if (!token || token->empty()) {
      return fail(ErrorCode::kBusy, "its token cannot be read from {}", config_.token_file);
    }
    request.headers.push_back({"Authorization", "Token " + *token});
    return {};
  }

  HttpSinkConfig config_;
};

Status check_scheme(const char* option, const std::string& url) {
  if (url.rfind("http://", 0) != 0 && url.rfind("https://", 0) != 0) {
    return fail(ErrorCode::kUsage, "{}: \"{}\" does not begin with http:// or https://", option,
                redact_url(url));
  }
  return {};
}

// The part of a URL from its path on; npos: there is none.
std::size_t path_at(const std::string& url) {
  return url.find_first_of("/?", url.find("://") + 3);
}

bool has_path(const std::string& url) {
  const std::size_t at = path_at(url);
  return at != std::string::npos && url[at] == '/' && at + 1 < url.size() && url[at + 1] != '?';
}

}  // namespace

std::unique_ptr<Sink> make_http_sink(HttpSinkConfig config) {
  return std::make_unique<HttpSink>(std::move(config));
}

Result<HttpSinkConfig> parse_influx_url(const std::string& url) {
  PT_TRY(check_scheme("--push-influx", url));
  const std::size_t query = url.find('?');
  const std::string parameters = query == std::string::npos ? "" : "&" + url.substr(query + 1);
  const bool v1 = parameters.find("&db=") != std::string::npos;
  const bool v2 = parameters.find("&bucket=") != std::string::npos;
  if (v1 == v2) {
    return fail(ErrorCode::kUsage,
                "--push-influx: say where to write: http://host:8086?db=power for version 1, "
                "http://host:8086?org=me&bucket=power for version 2");
  }
  std::string base = url.substr(0, query);
  while (base.back() == '/') {
    base.pop_back();
  }
  HttpSinkConfig config;
  config.url = base;
  if (!has_path(base)) {
    config.url += v1 ? "/write" : "/api/v2/write";
  }
  config.url += "?precision=ms" + parameters;
  return config;
}

Result<HttpSinkConfig> parse_remote_write_url(const std::string& url) {
  PT_TRY(check_scheme("--push-remote-write", url));
  HttpSinkConfig config;
  config.format = HttpFormat::kRemoteWrite;
  config.url = has_path(url) ? url : url.substr(0, path_at(url)) + "/api/v1/write";
  return config;
}

Result<HttpSinkConfig> parse_otlp_url(const std::string& url) {
  PT_TRY(check_scheme("--push-otlp", url));
  HttpSinkConfig config;
  config.format = HttpFormat::kOtlp;
  config.url = has_path(url) ? url : url.substr(0, path_at(url)) + "/v1/metrics";
  return config;
}

}  // namespace powertrace
