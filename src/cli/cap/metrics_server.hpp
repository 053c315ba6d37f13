// SPDX-License-Identifier: Apache-2.0
//
// /metrics and /healthz of a command that is not the agent. publish() from one thread; the server's
// threads only load what was published.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/result.hpp"

namespace powertrace {

class HttpServer;

class MetricsServer {
 public:
  static Result<MetricsServer> open(const std::string& address);
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;
  MetricsServer(MetricsServer&&) noexcept;
  MetricsServer& operator=(MetricsServer&&) = delete;
  ~MetricsServer();

  void publish(std::string text);

 private:
  struct Page {
    std::atomic<std::shared_ptr<const std::string>> text;
  };
  MetricsServer(std::shared_ptr<Page> page, std::unique_ptr<HttpServer> server);

  std::shared_ptr<Page> page_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace powertrace
