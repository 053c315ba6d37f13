// SPDX-License-Identifier: Apache-2.0
//
// A client that sends what it is told, byte by byte if need be: what no real one would.
#pragma once

#include <arpa/inet.h>
#include <array>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/fd.hpp"

namespace powertrace::test {

class Client {
 public:
  explicit Client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    const timeval patience{10, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }

  [[nodiscard]] bool connected() const { return connected_; }

  bool send(std::string_view bytes) const {
    return ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }

  // All until the server closes.
  [[nodiscard]] std::string receive() const {
    std::string all;
    std::array<char, 4096> part{};
    while (true) {
      const ssize_t size = ::recv(fd_.get(), part.data(), part.size(), 0);
      if (size <= 0) {
        return all;
      }
      all.append(part.data(), static_cast<std::size_t>(size));
    }
  }

 private:
  UniqueFd fd_;
  bool connected_ = false;
};

// One request on a connection of its own, and the whole answer.
inline std::string ask(std::uint16_t port, std::string_view request) {
  const Client client(port);
  client.send(request);
  return client.receive();
}

inline std::string get(std::uint16_t port, std::string_view target, std::string_view headers = "") {
  return ask(port, "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" +
                       std::string(headers) + "\r\n");
}

}  // namespace powertrace::test
