// SPDX-License-Identifier: Apache-2.0
//
// Listening sockets. Addresses as Prometheus' programs take them: "127.0.0.1:9102", "[::1]:9102",
// ":9102" for every address of the machine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace powertrace {

struct ListenAddress {
  std::string host;        // empty: all
  std::uint16_t port = 0;  // 0: any free one
};

Result<ListenAddress> parse_listen_address(std::string_view text);

struct Listener {
  UniqueFd fd;  // bound and listening, non-blocking
  std::string host;
  std::uint16_t port = 0;  // the real one
  [[nodiscard]] std::string url(bool tls) const;
};

// kBusy: somebody else has the port. The message says what to do.
Result<Listener> open_listener(const ListenAddress& address);

}  // namespace powertrace
