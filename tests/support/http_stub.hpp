// SPDX-License-Identifier: Apache-2.0
//
// A server on a loopback port that answers with the bytes it is told to, right or wrong, and keeps
// what it was asked. One connection, one request, at a time, on a thread of its own.
#pragma once

#include <arpa/inet.h>
#include <chrono>
#include <functional>
#include <mutex>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <poll.h>

#include "base/fd.hpp"

namespace powertrace::test {

// A whole answer with its length.
inline std::string http_answer(int status,
                               const std::string& body,
                               const std::string& headers = "") {
  return fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(),
                     headers, body);
}

class HttpStub {
 public:
  // Takes the request (head and body), gives the bytes to send before the connection is closed.
  using Handler = std::function<std::string(const std::string& request)>;

  explicit HttpStub(Handler handler)
      : handler_(std::move(handler)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(listener_.get(), generic, sizeof(address)) == 0);
    REQUIRE(::listen(listener_.get(), 8) == 0);
    socklen_t length = sizeof(address);
    REQUIRE(::getsockname(listener_.get(), generic, &length) == 0);
    port_ = ::ntohs(address.sin_port);
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }

  [[nodiscard]] std::string url(const std::string& path = "/") const {
    return fmt::format("http://127.0.0.1:{}{}", port_, path);
  }
  [[nodiscard]] std::vector<std::string> requests() const {
    const std::scoped_lock lock(mutex_);
    return requests_;
  }

 private:
  void serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd ready{listener_.get(), POLLIN, 0};
      if (::poll(&ready, 1, 20) != 1) {
        continue;
      }
      const UniqueFd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!peer.valid()) {
        continue;
      }
      const std::string request = read_request(peer.get());
      {
        const std::scoped_lock lock(mutex_);
        requests_.push_back(request);
      }
      const std::string answer = handler_(request);
      std::size_t sent = 0;
      while (sent < answer.size()) {
        const ssize_t wrote =
            ::send(peer.get(), answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
        if (wrote <= 0) {
          break;
        }
        sent += static_cast<std::size_t>(wrote);
      }
      // Without it, unread input would turn the end into a reset.
      ::shutdown(peer.get(), SHUT_WR);
    }
  }

  static std::string read_request(int fd) {
    std::string text;
    std::size_t want = std::string::npos;
    char buffer[4096];
    while (text.size() < want) {
      const ssize_t got = ::recv(fd, buffer, sizeof(buffer), 0);
      if (got <= 0) {
        break;
      }
      text.append(buffer, static_cast<std::size_t>(got));
      if (text[0] < 'A') {
        break;  // TLS
      }
      const std::size_t end = text.find("\r\n\r\n");
      if (end != std::string::npos && want == std::string::npos) {
        const std::size_t length = text.find("Content-Length: ");
        want = end + 4 + (length < end ? std::stoul(text.substr(length + 16)) : 0);
      }
    }
    return text;
  }

  Handler handler_;
  UniqueFd listener_;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::jthread thread_;  // last: ends before what it uses
};

}  // namespace powertrace::test
