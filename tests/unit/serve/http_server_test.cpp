// SPDX-License-Identifier: Apache-2.0
#include "serve/http_server.hpp"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "client.hpp"

using namespace powertrace;
using test::ask;
using test::Client;
using test::get;

namespace {

struct Server {
  std::unique_ptr<HttpServer> http;
  std::uint16_t port = 0;
};

Server start(const ServerLimits& limits = {}, ServerSecurity security = {}) {
  Router router;
  router.add("GET", "/", [](const Request&) { return text_response("hello"); });
  router.add("POST", "/echo", [](const Request& asked) { return text_response(asked.body); });
  router.add("GET", "/{name}",
             [](const Request& asked) { return text_response(std::string(asked.param("name"))); });
  auto listener = open_listener({"127.0.0.1", 0});
  REQUIRE(listener);
  Server server;
  server.port = listener->port;
  std::vector<Listener> listeners;
  listeners.push_back(std::move(*listener));
  auto http =
      HttpServer::open(std::move(listeners), std::move(router), std::move(security), limits);
  REQUIRE(http);
  server.http = std::move(*http);
  return server;
}

bool has_status(const std::string& answer, int status) {
  return answer.rfind("HTTP/1.1 " + std::to_string(status) + " ", 0) == 0;
}

}  // namespace

TEST_CASE("http server: answers GET, HEAD and POST") {
  const Server server = start();
  const std::string page = get(server.port, "/");
  CHECK(has_status(page, 200));
  CHECK(page.find("\r\n\r\nhello") != std::string::npos);
  CHECK(page.find("X-Content-Type-Options: nosniff") != std::string::npos);
  const std::string head =
      ask(server.port, "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  CHECK(has_status(head, 200));
  CHECK(head.find("Content-Length: 5") != std::string::npos);
  CHECK(head.find("hello") == std::string::npos);
  const std::string echo =
      ask(server.port,
          "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc");
  CHECK(echo.find("\r\n\r\nabc") != std::string::npos);
  CHECK(get(server.port, "/a%2Fb").find("\r\n\r\na/b") != std::string::npos);
  CHECK(server.http->stats().requests[2] == 4);
}

TEST_CASE("http server: malformed requests get an answer and harm nobody") {
  const Server server = start();
  for (const char* bytes :
       {"GARBAGE\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\r\n\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", "GET ../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nNo-Colon\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    CAPTURE(bytes);
    const Client client(server.port);
    client.send(bytes);
  }
  CHECK(has_status(get(server.port, "/%zz"), 400));
  CHECK(has_status(get(server.port, "/../../etc/passwd"), 404));
  CHECK(
      has_status(ask(server.port, "BREW / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), 405));
  CHECK(has_status(get(server.port, "/"), 200));
}

TEST_CASE("http server: headers and bodies have limits") {
  ServerLimits limits;
  limits.body_bytes = 1000;
  const Server server = start(limits);
  const std::string header = "X-Long: " + std::string(100'000, 'x') + "\r\n";
  const std::string refused = get(server.port, "/", header);
  CHECK((refused.empty() || has_status(refused, 431)));
  const std::string target = "/" + std::string(100'000, 'x');
  CHECK(get(server.port, target).find("200 OK") == std::string::npos);
  const std::string announced =
      ask(server.port,
          "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1001\r\n\r\n");
  CHECK(has_status(announced, 413));
  std::string chunked =
      "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 20; ++i) {
    chunked += "64\r\n" + std::string(100, 'y') + "\r\n";
  }
  CHECK(has_status(ask(server.port, chunked + "0\r\n\r\n"), 413));
  CHECK(has_status(get(server.port, "/"), 200));
}

TEST_CASE("http server: slow clients hold a connection, not the server") {
  ServerLimits limits;
  limits.deadline_ns = 300'000'000;
  const Server server = start(limits);
  std::vector<std::unique_ptr<Client>> slow;
  for (int i = 0; i < 40; ++i) {
    slow.push_back(std::make_unique<Client>(server.port));
    slow.back()->send("GET / HTTP/1.1\r\nX-Slow: ");
  }
  CHECK(has_status(get(server.port, "/"), 200));
  // A byte now and then does not buy more time.
  for (int i = 0; i < 8; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    slow.front()->send("x");
  }
  CHECK(slow.front()->receive().find("200 OK") == std::string::npos);
  CHECK(server.http->stats().expired >= 40);
}

TEST_CASE("http server: the filter refuses before the router is asked") {
  ServerSecurity closed;
  closed.authorize = [](const Request& asked) -> std::optional<Response> {
    return asked.header("authorization") == "secret" ? std::nullopt
                                                     : std::optional(problem(401, "who are you?"));
  };
  closed.headers = {{"X-More", "yes"}};
  const Server server = start({}, closed);
  const std::string refused = get(server.port, "/");
  CHECK(has_status(refused, 401));
  CHECK(refused.find("X-More: yes") != std::string::npos);
  CHECK(has_status(get(server.port, "/", "Authorization: secret\r\n"), 200));
  REQUIRE(server.http->set_security({}));
  CHECK(has_status(get(server.port, "/"), 200));
}

TEST_CASE("http server: settings change under load without a refused connection") {
  const Server server = start();
  std::atomic<bool> stop = false;
  std::atomic<int> bad = 0;
  std::thread load([&] {
    while (!stop) {
      bad += has_status(get(server.port, "/"), 200) ? 0 : 1;
    }
  });
  for (int i = 0; i < 10; ++i) {
    CHECK(server.http->set_security({}));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  stop = true;
  load.join();
  CHECK(bad == 0);
}

TEST_CASE("http server: TLS material that cannot be used is refused") {
  const auto settings = TlsSettings::make(
      TlsConfig{"not a certificate", "not a key", "", ClientAuth::kNone, {}, "NORMAL"});
  REQUIRE_FALSE(settings);
  CHECK(settings.error().message.find("certificate and key") != std::string::npos);
}
