// SPDX-License-Identifier: Apache-2.0
//
// Requests, responses and who answers what. Handlers run on the HTTP server's threads, several at a
// time: what they touch must be immutable or locked. Pure; knows no socket.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace powertrace {

constexpr std::size_t kDefaultLimit = 100;  // rows of an answer to who asks for no other number

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;                 // "GET"
  std::string path;                   // as it came, still percent-encoded, without the query
  std::vector<std::string> segments;  // of the path, decoded one by one: "a%2Fb" is one segment
  Pairs query;                        // decoded, in order
  Pairs headers;                      // names in lower case
  Pairs params;                       // what "{name}" of the pattern matched
  std::string body;
  std::string remote;  // address of the client

  // The first value; nullopt if there is none.
  [[nodiscard]] std::optional<std::string_view> query_value(std::string_view name) const;
  [[nodiscard]] std::string_view header(std::string_view lower_case_name) const;  // "" if absent
  [[nodiscard]] std::string_view param(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::shared_ptr<const std::string> body;  // shared, so that a page made once is sent often
  Pairs headers{};                          // besides Content-Type
};

Response text_response(std::string body, std::string content_type = "text/plain; charset=utf-8");
Response json_response(std::string json);
// An RFC 9457 answer, application/problem+json. `detail` says what was wrong and what is accepted.
Response problem(int status, std::string_view detail);
// The problem that fits an Error: kUsage 400, kNotFound 404, kBusy 503, else 500.
Response problem(const Error& error);

// "/a/b%20c?x=1&y" into path, segments and query. kMalformed: not a path, or a bad escape.
Status parse_target(std::string_view target, Request& request);

class Router {
 public:
  using Handler = std::function<Response(const Request&)>;

  // `pattern`: "/api/v1/cost/workload/{id}"; a {name} matches one non-empty segment. Patterns are
  // tried in the order in which they were added. GET also answers HEAD.
  void add(std::string_view method, std::string_view pattern, Handler handler);

  // The handler's answer, or 404, or 405 with the methods there are. What a handler throws becomes
  // a 500.
  [[nodiscard]] Response handle(Request& request) const;

 private:
  struct Route {
    std::string method;
    std::vector<std::string> segments;
    Handler handler;
  };
  std::vector<Route> routes_;
};

}  // namespace powertrace
