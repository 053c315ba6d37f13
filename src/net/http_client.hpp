// SPDX-License-Identifier: Apache-2.0
//
// The one HTTP client: a blocking request with bounds on everything (time, size, redirects,
// protocols). http_send() may be called from any thread; it keeps nothing between calls. Secrets
// (tokens, passwords, query strings, which some services use for tokens) never reach an Error.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace powertrace {

enum class HttpMethod : std::uint8_t { kGet, kPost, kPatch };

struct HttpHeader {
  std::string name;
  std::string value;
};

struct HttpTls {
  std::string ca_file;      // PEM; empty: the system's authorities
  std::string client_cert;  // PEM; empty: none
  std::string client_key;   // PEM; empty: in client_cert
  bool verify = true;  // false: anybody may answer, for a kubelet with a certificate of its own
};

struct HttpRequest {
  HttpMethod method = HttpMethod::kGet;
  std::string url;  // http or https
  std::vector<HttpHeader> headers;
  std::string body;

  std::uint64_t timeout_ns = 15'000'000'000;  // of the whole exchange; 0: none, for streams
  std::uint64_t connect_timeout_ns = 5'000'000'000;
  std::size_t max_response_bytes = std::size_t{4} << 20U;  // of the collected body
  int max_redirects = 3;  // GET only; to another host without headers and credentials

  HttpTls tls;
  std::string bearer_token;
  std::string bearer_token_file;  // read anew for each request: such tokens are rotated
  std::string user;               // basic authentication
  std::string password;
  bool proxy_from_environment = false;

  // Gets the body of a 2xx answer piece by piece instead of HttpResponse::body, without a limit on
  // its size. Returning false ends the request without an error.
  std::function<bool(std::string_view)> on_body;
  // Ends the request within a second, as HttpFailure::kCancelled.
  std::stop_token stop;
};

struct HttpResponse {
  int status = 0;
  std::vector<HttpHeader> headers;  // of the last answer, after redirects
  std::string body;

  // The value of the first header of this name, in any case; empty: there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
  [[nodiscard]] bool ok() const { return status >= 200 && status < 300; }
};

// What went wrong when there is no (whole) answer; every status code is an answer. It travels as
// Error::sys_errno.
enum class HttpFailure : int {
  kNone = 0,  // of another origin: the request itself is wrong
  kTimeout = ETIMEDOUT,
  kRefused = ECONNREFUSED,  // or no route
  kDns = EADDRNOTAVAIL,
  kTls = EPROTO,
  kTooLarge = EMSGSIZE,
  kTruncated = ECONNRESET,
  kRedirects = ELOOP,
  kCancelled = ECANCELED,
  kOther = EIO,
};
HttpFailure http_failure(const Error& error);

// Any status is a success here; see HttpResponse::ok().
Result<HttpResponse> http_send(const HttpRequest& request);

// The URL without user, password and query: for messages.
std::string redact_url(std::string_view url);

// For one part of a path or a query: everything but letters, digits and -._~ as %XX.
std::string url_encode(std::string_view text);

}  // namespace powertrace
