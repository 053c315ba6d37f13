// SPDX-License-Identifier: Apache-2.0
#include "serve/cost_api.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include <fmt/format.h>

#include "accounting/answers.hpp"
#include "accounting/report.hpp"
#include "base/clock.hpp"
#include "base/parse.hpp"

namespace powertrace {
namespace {

constexpr std::uint64_t kSecondNs = 1'000'000'000;
constexpr std::size_t kMostRows = 10'000;

UtcMs now_ms() {
  return static_cast<UtcMs>(realtime_ns() / 1'000'000U);
}

template <typename T>
Result<T> named(std::string_view name, Result<T> parsed) {
  if (!parsed) {
    return tl::make_unexpected(with_context(parsed.error(), std::string(name)));
  }
  return parsed;
}

std::string text_of(const Request& request, std::string_view name) {
  return std::string(request.query_value(name).value_or(""));
}

WorkloadFilter filter_of(const Request& request) {
  WorkloadFilter filter;
  filter.name_space = text_of(request, "namespace");
  filter.workload = text_of(request, "workload");
  filter.node = text_of(request, "node");
  return filter;
}

// range= (or the original collector's time_range=) before now.
Result<TimeRange> last_of(const Request& request, std::uint64_t fallback_ns) {
  std::uint64_t length_ns = fallback_ns;
  for (const std::string_view name : {"range", "time_range"}) {
    if (const auto text = request.query_value(name)) {
      PT_ASSIGN(length_ns, named(name, parse_duration_ns(*text)));
      if (length_ns < kSecondNs) {
        return fail(ErrorCode::kUsage, "{}: {} is shorter than a second", name, *text);
      }
      break;
    }
  }
  const UtcMs end = now_ms();
  return TimeRange{end - static_cast<UtcMs>(length_ns / 1'000'000U), end};
}

// start= and end=.
Result<TimeRange> range_of(const Request& request) {
  TimeRange range{0, now_ms()};
  if (const auto end = request.query_value("end")) {
    PT_ASSIGN(range.end, named("end", parse_rfc3339(*end)));
  }
  range.start = range.end - kDayMs;
  if (const auto start = request.query_value("start")) {
    PT_ASSIGN(range.start, named("start", parse_rfc3339(*start)));
  }
  if (range.start >= range.end) {
    return fail(ErrorCode::kUsage, "start: {} is not before the end {}",
                format_rfc3339(range.start), format_rfc3339(range.end));
  }
  return range;
}

Result<std::size_t> number_of(const Request& request,
                              std::string_view name,
                              std::size_t fallback,
                              std::size_t least,
                              std::size_t most) {
  const auto text = request.query_value(name);
  if (!text) {
    return fallback;
  }
  std::size_t value = 0;
  const char* end = text->data() + text->size();
  const auto [rest, error] = std::from_chars(text->data(), end, value);
  if (error != std::errc() || rest != end || value < least || value > most) {
    return fail(ErrorCode::kUsage, "{}: \"{}\" is no whole number from {} to {}", name, *text,
                least, most);
  }
  return value;
}

Result<Page> page_of(const Request& request, std::size_t fallback) {
  Page page;
  PT_ASSIGN(page.count, number_of(request, "limit", fallback, 1, kMostRows));
  PT_ASSIGN(page.first, number_of(request, "cursor", 0, 0, SIZE_MAX / 2));
  return page;
}

// Who may answer, and how errors of the history become problems.
class CostApi {
 public:
  explicit CostApi(CostApiConfig config) : config_(std::move(config)) {}

  Response current(const Request& request) const {
    return answer(request, [&](HistoryStore& store, const CostModel& model) -> Result<std::string> {
      CostQuestion question;
      PT_ASSIGN(question.range, last_of(request, 3600 * kSecondNs));
      PT_ASSIGN(question.by,
                named("by", parse_cost_by(request.query_value("by").value_or("namespace"))));
      if (!std::holds_alternative<Dimension>(question.by)) {
        return fail(ErrorCode::kUsage, "by: hours and days are at /api/v1/cost/hourly");
      }
      question.filter = filter_of(request);
      return report(store, model, question, request, kDefaultLimit);
    });
  }

  Response hourly(const Request& request) const {
    return answer(request, [&](HistoryStore& store, const CostModel& model) -> Result<std::string> {
      CostQuestion question;
      PT_ASSIGN(question.range, range_of(request));
      PT_ASSIGN(question.by,
                named("by", parse_cost_by(request.query_value("by").value_or("hour"))));
      if (!std::holds_alternative<Calendar>(question.by)) {
        return fail(ErrorCode::kUsage, "by: only hour and day are possible here");
      }
      PT_ASSIGN(question.zone,
                named("tz", TimeZone::find(request.query_value("tz").value_or("UTC"))));
      question.filter = filter_of(request);
      // 31 days of hours in one answer.
      return report(store, model, question, request, 31 * 24 + 1);
    });
  }

  Response workload(const Request& request) const {
    std::string id(request.param("id"));
    if (const std::string_view pod = request.param("pod"); !pod.empty()) {
      id = fmt::format("{}/{}", request.param("namespace"), pod);
    }
    return answer(request, [&](HistoryStore& store, const CostModel& model) -> Result<std::string> {
      PT_ASSIGN(const TimeRange range, range_of(request));
      return workload_json(store, model, id, range);
    });
  }

  Response workload_types(const Request& request) const {
    return answer(request, [&](HistoryStore& store, const CostModel&) -> Result<std::string> {
      PT_ASSIGN(const TimeRange range, last_of(request, 1800 * kSecondNs));
      PT_ASSIGN(const Page page, page_of(request, kDefaultLimit));
      return workload_types_json(store, range, filter_of(request), page);
    });
  }

  Response power(const Request& request, std::string_view key, Dimension by) const {
    return answer(request, [&](HistoryStore& store, const CostModel&) -> Result<std::string> {
      PT_ASSIGN(const TimeRange range, last_of(request, 300 * kSecondNs));
      PT_ASSIGN(const Page page, page_of(request, kDefaultLimit));
      return power_json(store, key, by, range, filter_of(request), page);
    });
  }

  static Response classify(const Request& request) {
    const auto answer = classify_json(request.body);
    return answer ? json_response(*answer) : problem(422, answer.error().message);
  }

  [[nodiscard]] Response openapi(const Request& request) const {
    return with_etag(request, json_response(openapi_json(config_.program, config_.token)));
  }

 private:
  static Result<std::string> report(HistoryStore& store,
                                    const CostModel& model,
                                    const CostQuestion& question,
                                    const Request& request,
                                    std::size_t limit) {
    PT_ASSIGN(const Page page, page_of(request, limit));
    PT_ASSIGN(const CostReport found, report_cost(store, model, question));
    return cost_json(model, found, page);
  }

  template <typename Make>
  Response answer(const Request& request, Make make) const {
    if (!config_.store) {
      return problem(503,
                     "this powertrace keeps no history: start it with --history FILE, or ask a "
                     "collector");
    }
    const std::shared_ptr<const CostModel> model = config_.model();
    const Result<std::string> body = make(*config_.store, *model);
    if (body) {
      return with_etag(request, json_response(*body));
    }
    const Error& error = body.error();
    if (error.code == ErrorCode::kUsage) {
      return problem(400, error.message);
    }
    if (error.code == ErrorCode::kNotFound) {
      return problem(404, error.message);
    }
    // Whatever is wrong with the history, it is not the client's fault and may pass.
    Response response = problem(503, error.message);
    response.headers.emplace_back("Retry-After", "30");
    return response;
  }

  CostApiConfig config_;
};

}  // namespace

Response with_etag(const Request& request, Response response) {
  std::uint64_t hash = 14695981039346656037ULL;  // FNV-1a: this is no secret, only a fingerprint
  for (const char c : *response.body) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  }
  const std::string tag = fmt::format("\"{:016x}\"", hash);
  if (request.header("if-none-match").find(tag) != std::string_view::npos) {
    response.status = 304;
    response.body = std::make_shared<const std::string>();
  }
  response.headers.emplace_back("ETag", tag);
  response.headers.emplace_back("Cache-Control", "no-cache");
  return response;
}

bool has_bearer(const Request& request, std::string_view token) {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string_view given = request.header("authorization");
  if (given.substr(0, kScheme.size()) != kScheme) {
    return false;
  }
  const std::string_view value = given.substr(kScheme.size());
  unsigned differences = value.size() == token.size() ? 0 : 1;
  for (std::size_t i = 0; i < token.size(); ++i) {
    const char c = i < value.size() ? value[i] : '\0';
    differences |=
        static_cast<unsigned>(static_cast<unsigned char>(c) ^ static_cast<unsigned char>(token[i]));
  }
  return differences == 0;
}

void add_cost_routes(Router& router, const CostApiConfig& config) {
  const auto api = std::make_shared<const CostApi>(config);
  const auto add = [&](std::string_view method, const std::string& path,
                       const Router::Handler& handler) {
    router.add(method, "/api/v1" + path, handler);
    router.add(method, path, handler);
  };
  add("GET", "/cost/current", [api](const Request& request) { return api->current(request); });
  add("GET", "/cost/hourly", [api](const Request& request) { return api->hourly(request); });
  add("GET", "/cost/workload/{id}",
      [api](const Request& request) { return api->workload(request); });
  add("GET", "/cost/workload/{namespace}/{pod}",
      [api](const Request& request) { return api->workload(request); });
  add("GET", "/profile/workload-types",
      [api](const Request& request) { return api->workload_types(request); });
  add("POST", "/profile/classify",
      [](const Request& request) { return CostApi::classify(request); });
  add("GET", "/openapi.json", [api](const Request& request) { return api->openapi(request); });
  if (config.program == ApiOwner::kCollector) {
    add("GET", "/power/current", [api](const Request& request) {
      return api->power(request, "data", Dimension::kContainer);
    });
    add("GET", "/power/containers", [api](const Request& request) {
      return api->power(request, "containers", Dimension::kContainer);
    });
    add("GET", "/power/nodes",
        [api](const Request& request) { return api->power(request, "nodes", Dimension::kNode); });
  }
}

}  // namespace powertrace
