// SPDX-License-Identifier: Apache-2.0
#include "serve/listener.hpp"

#include <cerrno>
#include <charconv>
#include <memory>
#include <netinet/in.h>
#include <sys/socket.h>

#include <netdb.h>

namespace powertrace {
namespace {

constexpr int kBacklog = 128;

struct AddressInfoDeleter {
  void operator()(addrinfo* info) const noexcept { ::freeaddrinfo(info); }
};
using AddressInfo = std::unique_ptr<addrinfo, AddressInfoDeleter>;

Result<AddressInfo> resolve(const ListenAddress& address) {
  addrinfo hints{};
  // Every address: one IPv6 socket takes both families, where the kernel has IPv6.
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(address.host.empty() ? nullptr : address.host.c_str(),
                                  std::to_string(address.port).c_str(), &hints, &found);
  if (error != 0) {
    return fail(ErrorCode::kUsage, "--listen: no address \"{}\": {}", address.host,
                ::gai_strerror(error));
  }
  return AddressInfo(found);
}

Result<UniqueFd> bind_one(const addrinfo& info, const ListenAddress& address) {
  UniqueFd fd(::socket(info.ai_family, info.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) {
    return fail_errno(errno, "--listen {}:{}: cannot make a socket", address.host, address.port);
  }
  const int on = 1;
  const int off = 0;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (info.ai_family == AF_INET6) {
    ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, address.host.empty() ? &off : &on, sizeof on);
  }
  if (::bind(fd.get(), info.ai_addr, info.ai_addrlen) != 0 || ::listen(fd.get(), kBacklog) != 0) {
    if (errno == EADDRINUSE) {
      return fail(ErrorCode::kBusy,
                  "--listen {}:{}: another program listens there; choose another port or stop it",
                  address.host, address.port);
    }
    if (errno == EACCES) {
      return fail(ErrorCode::kPermission,
                  "--listen {}:{}: ports below 1024 need CAP_NET_BIND_SERVICE; use one above",
                  address.host, address.port);
    }
    return fail_errno(errno, "--listen {}:{}", address.host, address.port);
  }
  return fd;
}

std::uint16_t bound_port(int fd) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size);
  return ntohs(name.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&name)->sin6_port
                                          : reinterpret_cast<sockaddr_in*>(&name)->sin_port);
}

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const auto malformed = [&] {
    return fail(ErrorCode::kUsage,
                "--listen \"{}\" is not ADDRESS:PORT, such as 127.0.0.1:9102, [::1]:9102 or :9102",
                text);
  };
  if (colon == std::string_view::npos) {
    return malformed();
  }
  std::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find_first_of(":[]") != std::string_view::npos) {
    return malformed();
  }
  ListenAddress address{std::string(host), 0};
  const std::string_view port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (port.empty() || error != std::errc() || end != port.data() + port.size()) {
    return malformed();
  }
  return address;
}

std::string Listener::url(bool tls) const {
  const bool bare_ipv6 = host.find(':') != std::string::npos;
  const std::string shown = host.empty() ? "localhost" : bare_ipv6 ? "[" + host + "]" : host;
  return fmt::format("{}://{}:{}/", tls ? "https" : "http", shown, port);
}

Result<Listener> open_listener(const ListenAddress& address) {
  PT_ASSIGN(const AddressInfo found, resolve(address));
  const addrinfo* chosen = found.get();
  for (const addrinfo* info = found.get(); info != nullptr; info = info->ai_next) {
    if (address.host.empty() && info->ai_family == AF_INET6) {
      chosen = info;
    }
  }
  auto fd = bind_one(*chosen, address);
  if (!fd && address.host.empty() && fd.error().code != ErrorCode::kBusy) {
    fd = bind_one(*found, address);  // no IPv6 here
  }
  if (!fd) {
    return tl::make_unexpected(fd.error());
  }
  Listener listener{std::move(*fd), address.host, 0};
  listener.port = bound_port(listener.fd.get());
  return listener;
}

}  // namespace powertrace
