// SPDX-License-Identifier: Apache-2.0
#include "serve/router.hpp"

#include <algorithm>
#include <exception>

#include <nlohmann/json.hpp>

#include "base/log.hpp"

namespace powertrace {
namespace {

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  if (lower >= 'a' && lower <= 'f') {
    return lower - 'a' + 10;
  }
  return std::nullopt;
}

Result<std::string> decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      decoded += ' ';
    } else if (text[i] == '%') {
      const auto high = i + 2 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
      const auto low = i + 2 < text.size() ? hex_digit(text[i + 2]) : std::nullopt;
      if (!high || !low) {
        return fail(ErrorCode::kMalformed,
                    "\"%\" in the address is not followed by two hex digits");
      }
      decoded += static_cast<char>(*high * 16 + *low);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(end + 1);
  }
}

std::string_view find(const Pairs& pairs, std::string_view name) {
  const auto at = std::find_if(pairs.begin(), pairs.end(),
                               [&](const auto& pair) { return pair.first == name; });
  return at == pairs.end() ? std::string_view() : std::string_view(at->second);
}

std::string_view reason(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 413:
      return "Content Too Large";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    default:
      return status < 500 ? "Request Failed" : "Internal Server Error";
  }
}

bool is_parameter(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

bool match(const std::vector<std::string>& pattern,
           const std::vector<std::string>& segments,
           Pairs& params) {
  params.clear();
  if (pattern.size() != segments.size()) {
    return false;
  }
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (is_parameter(pattern[i]) && !segments[i].empty()) {
      params.emplace_back(pattern[i].substr(1, pattern[i].size() - 2), segments[i]);
    } else if (pattern[i] != segments[i]) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::optional<std::string_view> Request::query_value(std::string_view name) const {
  const auto at = std::find_if(query.begin(), query.end(),
                               [&](const auto& pair) { return pair.first == name; });
  return at == query.end() ? std::nullopt : std::optional<std::string_view>(at->second);
}

std::string_view Request::header(std::string_view lower_case_name) const {
  return find(headers, lower_case_name);
}

std::string_view Request::param(std::string_view name) const {
  return find(params, name);
}

Response text_response(std::string body, std::string content_type) {
  return {200, std::move(content_type), std::make_shared<const std::string>(std::move(body)), {}};
}

Response json_response(std::string json) {
  return text_response(std::move(json), "application/json");
}

Response problem(int status, std::string_view detail) {
  const nlohmann::ordered_json json{
      {"type", "about:blank"}, {"title", reason(status)}, {"status", status}, {"detail", detail}};
  Response response = text_response(
      json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n",
      "application/problem+json");
  response.status = status;
  return response;
}

Response problem(const Error& error) {
  switch (error.code) {
    case ErrorCode::kUsage:
    case ErrorCode::kMalformed:
      return problem(400, error.message);
    case ErrorCode::kNotFound:
      return problem(404, error.message);
    case ErrorCode::kBusy:
    case ErrorCode::kUnsupported:
      return problem(503, error.message);
    default:
      return problem(500, error.message);
  }
}

Status parse_target(std::string_view target, Request& request) {
  const std::string_view path = target.substr(0, target.find('?'));
  if (path.empty() || path.front() != '/') {
    return fail(ErrorCode::kMalformed, "the address must begin with \"/\"");
  }
  request.path = path;
  request.segments.clear();
  for (const std::string_view segment : split(path.substr(1), '/')) {
    PT_ASSIGN(std::string decoded, decode(segment, false));
    request.segments.push_back(std::move(decoded));
  }
  request.query.clear();
  if (path.size() == target.size()) {
    return {};
  }
  for (const std::string_view pair : split(target.substr(path.size() + 1), '&')) {
    if (pair.empty()) {
      continue;
    }
    const std::size_t equals = pair.find('=');
    PT_ASSIGN(std::string name, decode(pair.substr(0, equals), true));
    PT_ASSIGN(std::string value,
              decode(equals == std::string_view::npos ? "" : pair.substr(equals + 1), true));
    request.query.emplace_back(std::move(name), std::move(value));
  }
  return {};
}

void Router::add(std::string_view method, std::string_view pattern, Handler handler) {
  Route& route = routes_.emplace_back();
  route.method = method;
  for (const std::string_view segment : split(pattern.substr(1), '/')) {
    route.segments.emplace_back(segment);
  }
  route.handler = std::move(handler);
}

Response Router::handle(Request& request) const {
  std::string allowed;
  const std::string_view wanted =
      request.method == "HEAD" ? "GET" : std::string_view(request.method);
  for (const Route& route : routes_) {
    if (!match(route.segments, request.segments, request.params)) {
      continue;
    }
    if (route.method == wanted) {
      try {
        return route.handler(request);
      } catch (const std::exception& error) {
        log_error("{} {}: {}", request.method, request.path, error.what());
        return problem(500, "the request failed inside powertrace; its log says how");
      }
    }
    allowed += (allowed.empty() ? "" : ", ") + route.method;
    allowed += route.method == "GET" ? ", HEAD" : "";
  }
  if (allowed.empty()) {
    return problem(404, "there is nothing at this address; / lists what there is");
  }
  Response response = problem(405, "this address does not take that method; use " + allowed);
  response.headers.emplace_back("Allow", allowed);
  return response;
}

}  // namespace powertrace
