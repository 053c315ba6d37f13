// SPDX-License-Identifier: Apache-2.0
#include "serve/http_server.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <netinet/in.h>
#include <new>
#include <sys/socket.h>

#include <fcntl.h>
#include <microhttpd.h>
#include <unistd.h>

#include "base/log.hpp"
#include "serve/connections.hpp"

namespace powertrace {
namespace {

// A client that says nothing for so long is not coming back; the deadline ends the others.
constexpr unsigned kIdleSeconds = 10;

// One request while it comes in; MHD keeps the pointer.
struct Incoming {
  std::string target;
  Request request;
  bool begun = false;
  bool too_large = false;
};

// Threads of the server must leave signals to the event loop.
class BlockSignals {
 public:
  BlockSignals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  BlockSignals(const BlockSignals&) = delete;
  BlockSignals& operator=(const BlockSignals&) = delete;
  ~BlockSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

struct DaemonDeleter {
  void operator()(MHD_Daemon* daemon) const noexcept { ::MHD_stop_daemon(daemon); }
};
using Daemon = std::unique_ptr<MHD_Daemon, DaemonDeleter>;

struct ResponseDeleter {
  void operator()(MHD_Response* response) const noexcept { ::MHD_destroy_response(response); }
};
using MhdResponse = std::unique_ptr<MHD_Response, ResponseDeleter>;

std::string client_address(MHD_Connection* connection) {
  const MHD_ConnectionInfo* info =
      ::MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (info == nullptr || info->client_addr == nullptr) {
    return "";
  }
  const sockaddr* address = info->client_addr;
  const void* bytes =
      address->sa_family == AF_INET6
          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr)
          : static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(address)->sin_addr);
  ::inet_ntop(address->sa_family, bytes, text.data(), text.size());
  return text.data();
}

MHD_Result add_header(void* headers, MHD_ValueKind, const char* name, const char* value) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  static_cast<Pairs*>(headers)->emplace_back(std::move(lower), value == nullptr ? "" : value);
  return MHD_YES;
}

void free_body(void* body) {
  delete static_cast<std::shared_ptr<const std::string>*>(body);
}

MhdResponse make_response(const Response& response, const Pairs& more_headers) {
  auto body = std::make_unique<std::shared_ptr<const std::string>>(response.body);
  if (!*body) {
    *body = std::make_shared<const std::string>();
  }
  const std::string& text = **body;
  MhdResponse made(::MHD_create_response_from_buffer_with_free_callback_cls(
      text.size(), const_cast<char*>(text.data()), free_body, body.get()));
  if (!made) {
    return made;
  }
  (void)body.release();  // the response's now
  const auto add = [&](const std::string& name, const std::string& value) {
    ::MHD_add_response_header(made.get(), name.c_str(), value.c_str());
  };
  add("Content-Type", response.content_type);
  add("X-Content-Type-Options", "nosniff");
  for (const auto* headers : {&response.headers, &more_headers}) {
    for (const auto& [name, value] : *headers) {
      add(name, value);
    }
  }
  return made;
}

void log_from_mhd(void*, const char* format, va_list arguments) {
  std::array<char, 512> line{};
  const int length = std::vsnprintf(line.data(), line.size(), format, arguments);
  std::string_view text(line.data(),
                        std::min(line.size() - 1, static_cast<std::size_t>(std::max(length, 0))));
  while (!text.empty() && text.back() == '\n') {
    text.remove_suffix(1);
  }
  log_debug("http: {}", text);
}

// Addresses are taken apart by parse_target(), after they were split.
std::size_t leave_escapes(void*, MHD_Connection*, char* text) {
  return std::char_traits<char>::length(text);
}

}  // namespace

struct HttpServer::Impl {
  Impl(Router the_router, const ServerLimits& the_limits)
      : router(std::move(the_router)),
        limits(the_limits),
        connections(std::make_unique<Connections>(the_limits.deadline_ns)) {}

  Status start(const Listener& listener);
  [[nodiscard]] std::shared_ptr<const ServerSecurity> security() const;

  static void* on_target(void* self, const char* target, MHD_Connection* connection);
  static MHD_Result on_request(void* self,
                               MHD_Connection* connection,
                               const char* url,
                               const char* method,
                               const char* version,
                               const char* data,
                               std::size_t* size,
                               void** state);
  static void on_completed(void* self,
                           MHD_Connection* connection,
                           void** state,
                           MHD_RequestTerminationCode code);
  static void on_connection(void* self,
                            MHD_Connection* connection,
                            void** context,
                            MHD_ConnectionNotificationCode code);

  [[nodiscard]] MHD_Result begin(MHD_Connection* connection,
                                 Incoming& incoming,
                                 const char* method);
  MHD_Result answer(MHD_Connection* connection, Incoming& incoming);
  [[nodiscard]] Response respond(const ServerSecurity& security, Incoming& incoming) const;

  Router router;
  ServerLimits limits;
  std::vector<Listener> listeners;
  std::array<std::atomic<std::uint64_t>, 6> requests{};
  std::unique_ptr<Connections> connections;
  mutable std::mutex mutex;
  std::shared_ptr<const ServerSecurity> current;  // changes under the mutex; itself it never does
  std::vector<Daemon> daemons;                    // last: they use all of the above
};

namespace {

int socket_of(MHD_Connection* connection) {
  const MHD_ConnectionInfo* info =
      ::MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info == nullptr ? -1 : info->connect_fd;
}

}  // namespace

void* HttpServer::Impl::on_target(void*, const char* target, MHD_Connection*) {
  auto* incoming = new (std::nothrow) Incoming;
  if (incoming != nullptr) {
    incoming->target = target;
  }
  return incoming;
}

std::shared_ptr<const ServerSecurity> HttpServer::Impl::security() const {
  const std::lock_guard lock(mutex);
  return current;
}

MHD_Result HttpServer::Impl::begin(MHD_Connection* connection,
                                   Incoming& incoming,
                                   const char* method) {
  incoming.begun = true;
  Request& request = incoming.request;
  request.method = method;
  request.remote = client_address(connection);
  ::MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header, &request.headers);
  const std::string_view length = request.header("content-length");
  std::uint64_t bytes = 0;
  std::from_chars(length.data(), length.data() + length.size(), bytes);
  if (bytes > limits.body_bytes) {
    incoming.too_large = true;  // refused before it is sent
    return answer(connection, incoming);
  }
  return MHD_YES;
}

Response HttpServer::Impl::respond(const ServerSecurity& rules, Incoming& incoming) const {
  Request& request = incoming.request;
  if (incoming.too_large) {
    return problem(413, fmt::format("the body may have at most {} bytes", limits.body_bytes));
  }
  if (const Status parsed = parse_target(incoming.target, request); !parsed) {
    return problem(parsed.error());
  }
  if (rules.authorize) {
    if (std::optional<Response> refusal = rules.authorize(request)) {
      return std::move(*refusal);
    }
  }
  return router.handle(request);
}

MHD_Result HttpServer::Impl::answer(MHD_Connection* connection, Incoming& incoming) {
  const std::shared_ptr<const ServerSecurity> rules = security();
  const Response response = respond(*rules, incoming);
  const MhdResponse made = make_response(response, rules->headers);
  if (!made) {
    return MHD_NO;
  }
  const auto hundreds = static_cast<std::size_t>(response.status / 100);
  ++requests[std::min(hundreds, requests.size() - 1)];
  log_debug("http: {} {} {}: {}", incoming.request.remote, incoming.request.method,
            incoming.request.path, response.status);
  return ::MHD_queue_response(connection, static_cast<unsigned>(response.status), made.get());
}

MHD_Result HttpServer::Impl::on_request(void* self,
                                        MHD_Connection* connection,
                                        const char* /*url*/,
                                        const char* method,
                                        const char* /*version*/,
                                        const char* data,
                                        std::size_t* size,
                                        void** state) {
  Impl& impl = *static_cast<Impl*>(self);
  auto* incoming = static_cast<Incoming*>(*state);
  if (incoming == nullptr) {
    return MHD_NO;
  }
  try {
    if (!incoming->begun) {
      return impl.begin(connection, *incoming, method);
    }
    if (*size != 0) {
      incoming->too_large =
          incoming->too_large || incoming->request.body.size() + *size > impl.limits.body_bytes;
      if (!incoming->too_large) {
        incoming->request.body.append(data, *size);
      }
      *size = 0;
      return MHD_YES;
    }
    return impl.answer(connection, *incoming);
  } catch (const std::bad_alloc&) {
    return MHD_NO;  // closes the connection
  }
}

void HttpServer::Impl::on_completed(void* self,
                                    MHD_Connection* connection,
                                    void** state,
                                    MHD_RequestTerminationCode /*code*/) {
  static_cast<Impl*>(self)->connections->answered(socket_of(connection));
  delete static_cast<Incoming*>(*state);
  *state = nullptr;
}

void HttpServer::Impl::on_connection(void* self,
                                     MHD_Connection* connection,
                                     void** context,
                                     MHD_ConnectionNotificationCode code) {
  const Impl& impl = *static_cast<const Impl*>(self);
  // A session needs its settings until its end, also when there are new ones.
  using Held = std::shared_ptr<const ServerSecurity>;
  const int fd = socket_of(connection);
  if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
    impl.connections->closed(fd);
    delete static_cast<Held*>(*context);
    *context = nullptr;
    return;
  }
  impl.connections->opened(fd);
  const MHD_ConnectionInfo* info =
      ::MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
  if (info == nullptr || info->tls_session == nullptr) {
    return;
  }
  auto held = std::make_unique<Held>(impl.security());
  (*held)->tls->apply(static_cast<gnutls_session_int*>(info->tls_session));
  *context = held.release();
}

Status HttpServer::Impl::start(const Listener& listener) {
  std::vector<MHD_OptionItem> tls;
  TlsConfig config;
  if (current->tls) {
    // on_connection() says what a session really uses; MHD demands some of its own.
    config = current->tls->config();
    tls.push_back({MHD_OPTION_HTTPS_MEM_CERT, 0, config.cert_pem.data()});
    tls.push_back({MHD_OPTION_HTTPS_MEM_KEY, 0, config.key_pem.data()});
  }
  tls.push_back({MHD_OPTION_END, 0, nullptr});
  UniqueFd fd(::fcntl(listener.fd.get(), F_DUPFD_CLOEXEC, 0));  // the listener may outlive us
  if (!fd.valid()) {
    return fail_errno(errno, "HTTP server");
  }
  unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG;
  if (current->tls) {
    flags |= MHD_USE_TLS;
  }
  const BlockSignals block;
  Daemon daemon(::MHD_start_daemon(
      flags, 0, nullptr, nullptr, &Impl::on_request, this,                        //
      MHD_OPTION_EXTERNAL_LOGGER, &log_from_mhd, nullptr,                         //
      MHD_OPTION_LISTEN_SOCKET, fd.get(),                                         //
      MHD_OPTION_THREAD_POOL_SIZE, limits.threads,                                //
      MHD_OPTION_CONNECTION_LIMIT, std::max(limits.connections, limits.threads),  //
      MHD_OPTION_PER_IP_CONNECTION_LIMIT, limits.connections_per_client,          //
      MHD_OPTION_CONNECTION_TIMEOUT, kIdleSeconds,                                //
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, limits.header_bytes,                    //
      MHD_OPTION_URI_LOG_CALLBACK, &Impl::on_target, nullptr,                     //
      MHD_OPTION_UNESCAPE_CALLBACK, &leave_escapes, nullptr,                      //
      MHD_OPTION_NOTIFY_COMPLETED, &Impl::on_completed, this,                     //
      MHD_OPTION_NOTIFY_CONNECTION, &Impl::on_connection, this,                   //
      MHD_OPTION_ARRAY, tls.data(), MHD_OPTION_END));
  if (!daemon) {
    return fail(ErrorCode::kIo, "the HTTP server did not start on {}; --log-level debug tells more",
                listener.url(current->tls != nullptr));
  }
  (void)fd.release();  // the daemon's now
  daemons.push_back(std::move(daemon));
  return {};
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::open(std::vector<Listener> listeners,
                                                     Router router,
                                                     ServerSecurity security,
                                                     const ServerLimits& limits) {
  std::unique_ptr<Impl> impl;
  {
    const BlockSignals block;
    impl = std::make_unique<Impl>(std::move(router), limits);
  }
  impl->listeners = std::move(listeners);
  impl->current = std::make_shared<const ServerSecurity>(std::move(security));
  for (const Listener& listener : impl->listeners) {
    PT_TRY(impl->start(listener));
  }
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

Status HttpServer::set_security(ServerSecurity security) {
  auto next = std::make_shared<const ServerSecurity>(std::move(security));
  const std::lock_guard lock(impl_->mutex);
  if ((next->tls == nullptr) != (impl_->current->tls == nullptr)) {
    return fail(ErrorCode::kUsage, "TLS cannot be switched {} while the server runs; restart it",
                next->tls == nullptr ? "off" : "on");
  }
  impl_->current = std::move(next);
  return {};
}

ServerStats HttpServer::stats() const {
  ServerStats stats;
  for (std::size_t i = 0; i < impl_->requests.size(); ++i) {
    stats.requests[i] = impl_->requests[i];
  }
  stats.expired = impl_->connections->expired();
  return stats;
}

std::vector<std::string> HttpServer::urls() const {
  std::vector<std::string> urls;
  for (const Listener& listener : impl_->listeners) {
    urls.push_back(listener.url(impl_->security()->tls != nullptr));
  }
  return urls;
}

}  // namespace powertrace
