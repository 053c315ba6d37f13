// SPDX-License-Identifier: Apache-2.0
#include "serve/power_api.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "base/parse.hpp"
#include "base/units.hpp"
#include "render/json.hpp"
#include "serve/labels.hpp"

namespace powertrace {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kDefaultRangeNs = 60'000'000'000;
constexpr std::size_t kMaxLimit = 10'000;

Json watts(std::int64_t nanojoules, double seconds) {
  return seconds > 0 ? Json(std::round(joules(nanojoules) / seconds * 1e6) / 1e6) : Json(nullptr);
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json zones_json(const AccountView& account, const KindEnergy& energy) {
  Json zones = Json::object();
  for (std::size_t kind = 0; kind < kZoneKinds; ++kind) {
    if (account.has_kind[kind]) {
      zones[std::string(zone_kind_name(static_cast<ZoneKind>(kind)))] = joules(energy[kind]);
    }
  }
  return zones;
}

Json source_json(const Snapshot& snapshot) {
  return {{"name", snapshot.source.name},
          {"measured", snapshot.source.measured},
          {"expected_error", snapshot.source.expected_error}};
}

std::string rfc3339(std::uint64_t ms) {
  return format_utc(ms * 1'000'000);
}

Result<std::size_t> count_parameter(const Request& request,
                                    std::string_view name,
                                    std::size_t fallback,
                                    std::size_t most) {
  const auto text = request.query_value(name);
  if (!text) {
    return fallback;
  }
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (text->empty() || error != std::errc() || end != text->data() + text->size() || value > most) {
    return fail(ErrorCode::kUsage, "{}=\"{}\": expected a whole number up to {}", name, *text,
                most);
  }
  return value;
}

Result<std::uint64_t> range_parameter(const Request& request) {
  // The collector that this API comes from called it time_range.
  auto text = request.query_value("range");
  text = text ? text : request.query_value("time_range");
  if (!text) {
    return kDefaultRangeNs;
  }
  PT_ASSIGN(const std::uint64_t range_ns, parse_duration_ns(*text));
  if (range_ns < 1'000'000'000 || range_ns > kMaxRangeNs) {
    return fail(ErrorCode::kUsage, "range={}: expected between 1s and {}s", *text,
                kMaxRangeNs / 1'000'000'000);
  }
  return range_ns;
}

// namespace= exactly; workload= one of the names it goes by.
bool wanted(const Request& request, const ContainerUse& use) {
  const auto name_space = request.query_value("namespace");
  const auto workload = request.query_value("workload");
  const PodIdentity* pod = pod_of(use.who);
  if (name_space && (pod == nullptr || pod->name_space != *name_space)) {
    return false;
  }
  if (!workload) {
    return true;
  }
  if (!use.who.cgroup) {
    return use.id == *workload;
  }
  const ContainerIdentity& container = *use.who.cgroup->container;
  if (container.id == *workload || container.name == *workload || container.pod_uid == *workload) {
    return true;
  }
  return pod != nullptr && (pod->name == *workload || pod->owner_name == *workload ||
                            pod->name_space + "/" + pod->name == *workload);
}

Json container_json(const AccountView& account,
                    const ContainerUse& use,
                    double seconds,
                    const std::string& node_name) {
  const ContainerIdentity* container = use.who.cgroup ? &*use.who.cgroup->container : nullptr;
  const PodIdentity* pod = pod_of(use.who);
  return {{"container_id", use.id},
          {"container_name", container != nullptr ? text_or_null(container->name) : Json(nullptr)},
          {"runtime", container != nullptr ? text_or_null(container->runtime) : Json(nullptr)},
          {"pod_id", container != nullptr ? text_or_null(container->pod_uid) : Json(nullptr)},
          {"pod_name", pod != nullptr ? text_or_null(pod->name) : Json(nullptr)},
          {"namespace", pod != nullptr ? text_or_null(pod->name_space) : Json(nullptr)},
          {"owner_kind", pod != nullptr ? text_or_null(pod->owner_kind) : Json(nullptr)},
          {"owner_name", pod != nullptr ? text_or_null(pod->owner_name) : Json(nullptr)},
          {"node_name", node_name},
          {"state", container == nullptr ? Json(nullptr)
                    : use.terminated     ? Json("terminated")
                                         : Json("running")},
          {"joules", joules(total_nj(use.energy_nj))},
          {"watts", watts(total_nj(use.energy_nj), seconds)},
          {"cpu_seconds", static_cast<double>(use.run_ns) / 1e9},
          {"zones", zones_json(account, use.energy_nj)}};
}

// What every answer about a range begins with.
Json envelope(const AccountView& account, const RangeUse& range) {
  const double coverage =
      range.asked_seconds > 0 ? std::min(1.0, range.seconds() / range.asked_seconds) : 0;
  return {{"start", rfc3339(range.start_ms)},
          {"end", rfc3339(range.end_ms)},
          {"duration_s", range.seconds()},
          {"coverage", std::round(coverage * 1e4) / 1e4},
          {"source", source_json(*account.snapshot)}};
}

class PowerApi {
 public:
  PowerApi(const Board& board, const PowerHistory& history) : board_(board), history_(history) {}

  [[nodiscard]] Response snapshot(const Request& request) const {
    return answer([&](const Published& now) { return snapshot_text(request, now); });
  }

  [[nodiscard]] Response current(const Request& request) const {
    return json([&](const Published& now) { return containers(request, now, "data", false); });
  }

  [[nodiscard]] Response by_container(const Request& request) const {
    return json([&](const Published& now) { return containers(request, now, "containers", true); });
  }

  [[nodiscard]] Response nodes(const Request& request) const {
    return json([&](const Published& now) { return node(request, now); });
  }

  [[nodiscard]] Response hour(const Request&) const {
    return json([&](const Published& now) -> Result<Json> { return hour_json(now); });
  }

 private:
  template <typename Make>
  Response answer(Make make) const {
    const PublishedPtr now = board_.read();
    if (!now) {
      return problem(503, "there is no snapshot yet; ask again in a second");
    }
    Result<std::string> text = make(*now);
    return text ? json_response(std::move(*text)) : problem(text.error());
  }
  template <typename Make>
  Response json(Make make) const {
    return answer([&](const Published& now) -> Result<std::string> {
      PT_ASSIGN(const Json made, make(now));
      return dump(made);
    });
  }

  static Result<std::string> snapshot_text(const Request& request, const Published& now) {
    PT_ASSIGN(const Level level, parse_level(request.query_value("by").value_or("process")));
    PT_ASSIGN(const SortKey sort, parse_sort_key(request.query_value("sort").value_or("watts")));
    PT_ASSIGN(const std::size_t limit, count_parameter(request, "limit", 0, kMaxLimit));
    std::vector<Row> rows = roll_up(*now.account->snapshot, level);
    sort_rows(rows, sort);
    if (limit != 0 && rows.size() > limit) {
      rows.resize(limit);
    }
    return snapshot_json(*now.account->snapshot, rows) + "\n";
  }

  Result<Json> containers(const Request& request,
                          const Published& now,
                          const char* list,
                          bool pages) const {
    PT_ASSIGN(const std::uint64_t range_ns, range_parameter(request));
    PT_ASSIGN(const std::size_t limit,
              count_parameter(request, "limit", pages ? kDefaultLimit : kMaxLimit, kMaxLimit));
    PT_ASSIGN(const std::size_t cursor, count_parameter(request, "cursor", 0, kMaxLimit));
    RangeUse range = history_.range(range_ns);
    std::vector<ContainerUse> chosen;
    for (ContainerUse& use : range.containers) {
      if (wanted(request, use)) {
        chosen.push_back(std::move(use));
      }
    }
    std::sort(chosen.begin(), chosen.end(), [](const ContainerUse& a, const ContainerUse& b) {
      return std::pair(-total_nj(a.energy_nj), std::string_view(a.id)) <
             std::pair(-total_nj(b.energy_nj), std::string_view(b.id));
    });
    Json answer = envelope(*now.account, range);
    Json& entries = answer[list] = Json::array();
    const std::size_t end = std::min(chosen.size(), cursor + limit);
    for (std::size_t i = cursor; i < end; ++i) {
      entries.push_back(
          container_json(*now.account, chosen[i], range.seconds(), now.page->node_name));
    }
    answer["count"] = entries.size();
    answer["next_cursor"] = end < chosen.size() ? Json(end) : Json(nullptr);
    return answer;
  }

  Result<Json> node(const Request& request, const Published& now) const {
    PT_ASSIGN(const std::uint64_t range_ns, range_parameter(request));
    const RangeUse range = history_.range(range_ns);
    const double seconds = range.seconds();
    const std::int64_t energy = total_nj(range.node.energy_nj);
    const std::int64_t idle = total_nj(range.node.idle_nj);
    Json answer = envelope(*now.account, range);
    answer["nodes"] =
        Json::array({{{"node_name", now.page->node_name},
                      {"joules", joules(energy)},
                      {"watts", watts(energy, seconds)},
                      {"idle_watts", watts(idle, seconds)},
                      {"active_watts", watts(energy - idle, seconds)},
                      {"cpu_usage_ratio", range.node.capacity_ns == 0
                                              ? Json(nullptr)
                                              : Json(static_cast<double>(range.node.run_ns) /
                                                     static_cast<double>(range.node.capacity_ns))},
                      {"zones", zones_json(*now.account, range.node.energy_nj)}}});
    answer["count"] = 1;
    return answer;
  }

  [[nodiscard]] Json hour_json(const Published& now) const {
    Json points = Json::array();
    for (const NodePoint& point : history_.hour()) {
      Json zones = Json::object();
      for (std::size_t kind = 0; kind < kZoneKinds; ++kind) {
        if (now.account->has_kind[kind]) {
          zones[std::string(zone_kind_name(static_cast<ZoneKind>(kind)))] =
              watts(point.energy_nj[kind], point.seconds);
        }
      }
      const std::int64_t energy = total_nj(point.energy_nj);
      const std::int64_t idle = total_nj(point.idle_nj);
      points.push_back({{"end", rfc3339(point.end_ms)},
                        {"watts", watts(energy, point.seconds)},
                        {"idle_watts", watts(idle, point.seconds)},
                        {"active_watts", watts(energy - idle, point.seconds)},
                        {"zones", std::move(zones)}});
    }
    return {{"node_name", now.page->node_name},
            {"source", source_json(*now.account->snapshot)},
            {"points", std::move(points)}};
  }

  const Board& board_;
  const PowerHistory& history_;
};

}  // namespace

void add_power_routes(Router& router, const Board& board, const PowerHistory& history) {
  const PowerApi api(board, history);
  const auto add = [&](std::string_view path, auto handler) {
    router.add("GET", path,
               [api, handler](const Request& request) { return (api.*handler)(request); });
  };
  add("/api/v1/snapshot", &PowerApi::snapshot);
  add("/api/v1/power/current", &PowerApi::current);
  add("/api/v1/power/containers", &PowerApi::by_container);
  add("/api/v1/power/nodes", &PowerApi::nodes);
  add("/api/v1/power/history", &PowerApi::hour);
  // The original collector's paths.
  add("/power/current", &PowerApi::current);
  add("/power/containers", &PowerApi::by_container);
  add("/power/nodes", &PowerApi::nodes);
}

}  // namespace powertrace
