// SPDX-License-Identifier: Apache-2.0
#include "cli/cmd_collector.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "base/event_loop.hpp"
#include "base/log.hpp"
#include "base/sysroot.hpp"
#include "cli/exit_code.hpp"
#include "cli/web_security.hpp"
#include "powertrace/version.h"
#include "serve/cost_api.hpp"
#include "serve/http_server.hpp"
#include "serve/web_page.hpp"

namespace powertrace {
namespace {

constexpr std::string_view kAbout = "powertrace collector " POWERTRACE_VERSION
                                    ": energy, cost and carbon of a cluster\n\n"
                                    "/api/v1/openapi.json  what can be asked\n"
                                    "/api/v1/cost/current  cost of the last hour by namespace\n"
                                    "/api/v1/cost/hourly   cost of the last day by hour\n"
                                    "/api/v1/power/nodes   power of the nodes\n"
                                    "/cost                 the same as a page\n"
                                    "/metrics /healthz /readyz\n";

Response ready(const PrometheusStore& store) {
  const Status status = store.check();
  if (!status) {
    Response response = problem(503, status.error().message);
    response.headers.emplace_back("Retry-After", "10");
    return response;
  }
  return text_response("ready\n");
}

std::string metrics_text(const ServerStats& stats) {
  std::string text =
      "# HELP powertrace_build_info A metric with a constant 1, labelled with the version.\n"
      "# TYPE powertrace_build_info gauge\n"
      "powertrace_build_info{version=\"" POWERTRACE_VERSION
      "\"} 1\n"
      "# HELP powertrace_http_requests_total Requests answered, by class of the status.\n"
      "# TYPE powertrace_http_requests_total counter\n";
  for (int hundreds = 2; hundreds <= 5; ++hundreds) {
    text += fmt::format("powertrace_http_requests_total{{code=\"{}xx\"}} {}\n", hundreds,
                        stats.requests[hundreds]);
  }
  return text;
}

// What needs no token: probes and the page that says where the rest is.
void add_open_routes(Router& router, const std::shared_ptr<PrometheusStore>& store) {
  for (const char* path : {"/healthz", "/live"}) {
    router.add("GET", path, [](const Request&) { return text_response("alive\n"); });
  }
  for (const char* path : {"/readyz", "/ready", "/health"}) {
    router.add("GET", path, [store](const Request&) { return ready(*store); });
  }
  router.add("GET", "/", [](const Request&) { return text_response(std::string(kAbout)); });
}

// Probes, and the page, which asks its user for the token.
bool is_open(std::string_view path) {
  constexpr std::array<std::string_view, 6> kOpen{"/",       "/healthz", "/live",
                                                  "/readyz", "/ready",   "/health"};
  return is_cost_page(path) || std::find(kOpen.begin(), kOpen.end(), path) != kOpen.end();
}

// The token, or a user of --web.config-file.
ServerSecurity demand_token(ServerSecurity security, const std::string& token) {
  security.authorize = [token, users = std::move(security.authorize)](
                           const Request& request) -> std::optional<Response> {
    if (is_open(request.path) || has_bearer(request, token)) {
      return std::nullopt;
    }
    if (users) {
      return users(request);
    }
    Response response = problem(401, "send the service's token: Authorization: Bearer TOKEN");
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return response;
  };
  return security;
}

Result<WebSecurity> read_security(const CollectorOptions& options) {
  if (options.token_file.empty()) {
    return WebSecurity::read(options.web_config);
  }
  PT_ASSIGN(const std::string token, read_token(options.token_file));
  return WebSecurity::read(options.web_config, [token](ServerSecurity security) {
    return demand_token(std::move(security), token);
  });
}

}  // namespace

Result<std::string> read_token(const std::string& path) {
  const auto token = read_trimmed(path);
  if (!token) {
    return tl::make_unexpected(with_context(token.error(), "--token-file"));
  }
  if (token->empty() || token->find_first_of("\r\n") != std::string::npos) {
    return fail(ErrorCode::kUsage, "--token-file: {} must hold one token on one line", path);
  }
  return *token;
}

Result<int> run_collector(const CollectorOptions& options) {
  // What can be wrong with the options first.
  PT_ASSIGN(WebSecurity security, read_security(options));
  PT_ASSIGN(std::vector<Listener> listeners, open_listeners(options.listen));
  PT_ASSIGN(auto model, open_live_cost_model(options.rates));
  PT_ASSIGN(std::unique_ptr<PrometheusStore> opened, PrometheusStore::create(options.store));
  const std::shared_ptr<PrometheusStore> store = std::move(opened);
  if (const Status reached = store->check(); !reached) {
    log_warn("{}; the collector starts anyway and asks again", reached.error().message);
  }

  Router router;
  const auto stats = std::make_shared<std::function<ServerStats()>>();
  add_open_routes(router, store);
  add_page_files(router);
  add_cost_page(router);
  const bool demands = security.security().authorize != nullptr;
  add_cost_routes(router, {store, std::move(model), ApiOwner::kCollector, demands});
  router.add("GET", "/metrics", [stats](const Request&) {
    return text_response(metrics_text(*stats ? (*stats)() : ServerStats{}),
                         "text/plain; version=0.0.4; charset=utf-8");
  });
  PT_ASSIGN(EventLoop loop, EventLoop::create());
  HttpServer* serving = nullptr;
  int signal = 0;
  PT_TRY(loop.add_signals({SIGINT, SIGTERM, SIGHUP}, [&](int number) {
    if (number == SIGHUP && serving != nullptr) {
      security.refresh(*serving, true);
      log_info(
          "TLS and users are as --web.config-file says now; the rest holds from the next "
          "start");
      return;
    }
    signal = number;
    loop.stop();
  }));
  PT_ASSIGN(const std::unique_ptr<HttpServer> server,
            HttpServer::open(std::move(listeners), std::move(router), security.security()));
  serving = server.get();
  PT_TRY(loop.add_timer(kLookAtFilesNs, [&] { security.refresh(*server, false); }));
  *stats = [&server] { return server->stats(); };
  for (const std::string& url : server->urls()) {
    std::fprintf(stderr, "powertrace: serving %s from %s\n", url.c_str(),
                 store->describe().c_str());
  }
  PT_TRY(loop.run());
  return signal == SIGINT ? kExitInterrupted : kExitOk;
}

}  // namespace powertrace
