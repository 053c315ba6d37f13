// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <fstream>

#include <doctest/doctest.h>
#include <unistd.h>

#include "serve/basic_auth.hpp"
#include "serve/web_config.hpp"

using namespace powertrace;

namespace {

// bcrypt of "secret", cost 4.
const std::string kHash = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

Request with_authorization(std::string value) {
  Request request;
  request.method = "GET";
  request.headers = {{"authorization", std::move(value)}};
  return request;
}

class File {
 public:
  explicit File(const std::string& text)
      : path_("/tmp/powertrace-web-config-" + std::to_string(::getpid())) {
    std::ofstream(path_) << text;
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { std::remove(path_.c_str()); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("basic auth: the right password passes, others do not") {
  BasicAuth auth({{"alice", kHash}});
  CHECK_FALSE(auth.check(with_authorization("Basic YWxpY2U6c2VjcmV0")).has_value());
  CHECK_FALSE(auth.check(with_authorization("basic YWxpY2U6c2VjcmV0")).has_value());
  for (const char* header :
       {"", "Basic", "Basic ", "Basic !!!!", "Bearer YWxpY2U6c2VjcmV0",
        "Basic YWxpY2U=", "Basic YWxpY2U6d3Jvbmc=", "Basic Ym9iOnNlY3JldA=="}) {
    CAPTURE(header);
    const auto refusal = auth.check(with_authorization(header));
    REQUIRE(refusal.has_value());
    CHECK(refusal->status == 401);
    CHECK(refusal->headers.at(0).first == "WWW-Authenticate");
  }
}

TEST_CASE("basic auth: guessing is slow, and does not lock out who is known") {
  BasicAuth auth({{"alice", kHash}});
  CHECK_FALSE(auth.check(with_authorization("Basic YWxpY2U6c2VjcmV0")).has_value());
  int busy = 0;
  for (int i = 0; i < 40; ++i) {
    const auto refusal = auth.check(with_authorization("Basic YWxpY2U6d3Jvbmc="));
    REQUIRE(refusal.has_value());
    busy += refusal->status == 429 ? 1 : 0;
  }
  CHECK(busy > 20);
  CHECK_FALSE(auth.check(with_authorization("Basic YWxpY2U6c2VjcmV0")).has_value());
}

TEST_CASE("basic auth: only bcrypt, and not too dear") {
  CHECK(check_users({{"a", kHash}}));
  CHECK_FALSE(check_users({{"a", "secret"}}));
  CHECK_FALSE(check_users({{"a", ""}}));
  CHECK_FALSE(check_users({{"a", "$6$abc$def"}}));
  std::string dear = kHash;
  dear.replace(4, 2, "20");
  CHECK_FALSE(check_users({{"a", dear}}));
}

TEST_CASE("web config: users and headers") {
  const File file("basic_auth_users:\n  alice: " + kHash +
                  "\nhttp_server_config:\n  http2: false\n  headers:\n    X-Frame-Options: deny\n");
  const auto config = read_web_config(file.path());
  REQUIRE(config);
  CHECK(config->security.authorize);
  CHECK(config->security.headers == Pairs{{"X-Frame-Options", "deny"}});
  CHECK_FALSE(config->security.tls);
  CHECK(read_web_config(File("").path()));
}

TEST_CASE("web config: what is wrong is named with its line") {
  struct Case {
    const char* text;
    const char* message;
  };
  for (const Case& one :
       {Case{"tls_server_config:\n  cert_file: /nonexistent/x.pem\n  key_file: y\n",
             ":2: tls_server_config.cert_file"},
        Case{"tls_server_config:\n  cert_fil: x\n", ":2: unknown key"},
        Case{"tls:\n  a: b\n", ":2: unknown key"},
        Case{"tls_server_config:\n  min_version: TLS12\n", "needs cert_file and key_file"},
        Case{"tls_server_config:\n  client_auth_type: Maybe\n", "is not a kind"},
        Case{"tls_server_config:\n  cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]\n",
             "unknown or too weak"},
        Case{"tls_server_config:\n  min_version: SSL3\n", "is not a version"},
        Case{"basic_auth_users:\n  alice: plain\n", "not a bcrypt hash"},
        Case{"basic_auth_users: [a]\n  b\n", ":"}, Case{"- a\n", "expected"},
        Case{"http_server_config:\n  headers:\n    \"a b\": x\n", "not a header"}}) {
    CAPTURE(one.text);
    const File file(one.text);
    const auto config = read_web_config(file.path());
    REQUIRE_FALSE(config);
    CAPTURE(config.error().message);
    CHECK(config.error().code == ErrorCode::kUsage);
    CHECK(config.error().message.find(one.message) != std::string::npos);
  }
  CHECK_FALSE(read_web_config("/nonexistent"));
}
