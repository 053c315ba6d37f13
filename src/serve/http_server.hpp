// SPDX-License-Identifier: Apache-2.0
//
// The HTTP server: sockets, limits and TLS around a Router. Requests are read and answered by a
// few event-driven threads, so that a client that sends or reads slowly holds a connection and
// nothing else; no connection outlives its deadline. Owned by one thread; handlers run on others.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "serve/listener.hpp"
#include "serve/router.hpp"
#include "serve/tls.hpp"

namespace powertrace {

struct ServerLimits {
  unsigned threads = 3;
  unsigned connections = 128;                  // at a time, all clients together, per listener
  unsigned connections_per_client = 64;        // of one address
  std::size_t header_bytes = 32U << 10U;       // request line and headers; above: 431 or 414
  std::size_t body_bytes = 64U << 10U;         // above: 413
  std::uint64_t deadline_ns = 15'000'000'000;  // from connecting or the last answer to the next
};

// What every request passes before the router sees it.
struct ServerSecurity {
  std::shared_ptr<const TlsSettings> tls;  // null: plain HTTP
  // An answer refuses the request. Null: everybody may ask.
  std::function<std::optional<Response>(const Request&)> authorize;
  Pairs headers;  // added to every answer
};

// Since the start.
struct ServerStats {
  std::uint64_t requests[6] = {};  // by hundreds of the status: [2] are 200 to 299
  std::uint64_t expired = 0;       // connections that missed their deadline
};

class HttpServer {
 public:
  // Listens and answers from now on, until it is destroyed. All listeners speak TLS, or none.
  static Result<std::unique_ptr<HttpServer>> open(std::vector<Listener> listeners,
                                                  Router router,
                                                  ServerSecurity security = {},
                                                  const ServerLimits& limits = {});
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  // From now on: certificates for new connections, who may ask for every request. Switching TLS on
  // or off takes a new server; such an error leaves all as it was.
  Status set_security(ServerSecurity security);

  [[nodiscard]] ServerStats stats() const;
  [[nodiscard]] std::vector<std::string> urls() const;

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace powertrace
