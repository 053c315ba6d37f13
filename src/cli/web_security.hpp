// SPDX-License-Identifier: Apache-2.0
//
// TLS and users of a service, as the file of --web.config-file says, read again when it changes.
// Owned and used by one thread.
#pragma once

#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "serve/http_server.hpp"
#include "serve/web_config.hpp"

namespace powertrace {

inline constexpr std::uint64_t kLookAtFilesNs = 5'000'000'000;

// Adds what the service itself demands to what the file says.
using SecurityFilter = std::function<ServerSecurity(ServerSecurity)>;

class WebSecurity {
 public:
  // An empty path: plain HTTP, open to everybody who can connect.
  static Result<WebSecurity> read(const std::string& path, SecurityFilter filter = {});

  [[nodiscard]] ServerSecurity security() const;

  // A bad file changes nothing: what was in force stays, and the log says so.
  void refresh(HttpServer& server, bool even_if_unchanged);

 private:
  std::string path_;
  SecurityFilter filter_;
  WebConfig config_;
  std::vector<timespec> times_;  // of its files
};

// Sockets for all of them, or the first error.
Result<std::vector<Listener>> open_listeners(const std::vector<ListenAddress>& addresses);

}  // namespace powertrace
