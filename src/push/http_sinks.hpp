// SPDX-License-Identifier: Apache-2.0
//
// Sinks that speak HTTP: InfluxDB v1 and v2, Prometheus remote-write, OTLP. What is sent twice
// after a lost answer is stored once: the samples carry their time.
#pragma once

#include <memory>
#include <string>

#include "net/http_client.hpp"
#include "push/sink.hpp"

namespace powertrace {

enum class HttpFormat : std::uint8_t { kInflux, kRemoteWrite, kOtlp };

struct HttpSinkConfig {
  HttpFormat format = HttpFormat::kInflux;
  std::string url;         // complete: http://host:8086/write?db=power&precision=ms
  std::string token_file;  // InfluxDB: "Token ...", else a bearer; read anew
  std::uint64_t timeout_ns = 10'000'000'000;
};

std::unique_ptr<Sink> make_http_sink(HttpSinkConfig config);

// What an option says, completed: --push-influx http://host:8086?db=power (v1) or
// http://host:8086?org=me&bucket=power (v2); --push-otlp http://host:4318. kUsage says what is
// missing.
Result<HttpSinkConfig> parse_influx_url(const std::string& url);
Result<HttpSinkConfig> parse_remote_write_url(const std::string& url);
Result<HttpSinkConfig> parse_otlp_url(const std::string& url);

}  // namespace powertrace
