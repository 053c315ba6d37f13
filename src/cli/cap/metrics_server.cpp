// SPDX-License-Identifier: Apache-2.0
#include "cli/cap/metrics_server.hpp"

#include <utility>

#include "base/log.hpp"
#include "serve/http_server.hpp"

namespace powertrace {

Result<MetricsServer> MetricsServer::open(const std::string& address) {
  const auto parsed = parse_listen_address(address);
  if (!parsed) {
    return tl::make_unexpected(with_context(parsed.error(), "--listen"));
  }
  PT_ASSIGN(Listener listener, open_listener(*parsed));
  auto page = std::make_shared<Page>();
  Router router;
  router.add("GET", "/metrics", [page](const Request&) {
    const auto text = page->text.load();
    Response response = text_response("", "text/plain; version=0.0.4; charset=utf-8");
    if (text) {
      response.body = text;
    }
    return response;
  });
  router.add("GET", "/healthz", [](const Request&) { return text_response("ok\n"); });
  std::vector<Listener> listeners;
  listeners.push_back(std::move(listener));
  PT_ASSIGN(std::unique_ptr<HttpServer> server,
            HttpServer::open(std::move(listeners), std::move(router)));
  for (const std::string& url : server->urls()) {
    log_info("metrics at {}/metrics", url);
  }
  return MetricsServer(std::move(page), std::move(server));
}

MetricsServer::MetricsServer(std::shared_ptr<Page> page, std::unique_ptr<HttpServer> server)
    : page_(std::move(page)), server_(std::move(server)) {}
MetricsServer::MetricsServer(MetricsServer&&) noexcept = default;
MetricsServer::~MetricsServer() = default;

void MetricsServer::publish(std::string text) {
  page_->text.store(std::make_shared<const std::string>(std::move(text)));
}

}  // namespace powertrace
