// SPDX-License-Identifier: Apache-2.0
#include "capping/status.hpp"

#include <nlohmann/json.hpp>

namespace powertrace {
namespace {

using Json = nlohmann::json;
constexpr const char* kStatusSchema = "powertrace.powercap-status/1";

template <typename T>
Json optional_json(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

template <typename T>
std::optional<T> optional_at(const Json& json, const char* name) {
  const Json& value = json.at(name);
  return value.is_null() ? std::nullopt : std::optional(value.get<T>());
}

Json side_json(const EffectSide& side) {
  return {{"seconds", side.time_s},
          {"watts", side.watts},
          {"cpus", side.cpus},
          {"ghz", side.ghz},
          {"stalled_share", optional_json(side.stalled)}};
}

EffectSide side_from(const Json& json) {
  return {json.at("seconds").get<double>(), json.at("watts").get<double>(),
          json.at("cpus").get<double>(), json.at("ghz").get<double>(),
          optional_at<double>(json, "stalled_share")};
}

Json zones_json(const std::vector<CapZoneStatus>& zones) {
  Json list = Json::array();
  for (const CapZoneStatus& zone : zones) {
    list.push_back({{"zone", zone.name},
                    {"health", zone.health},
                    {"reason", zone.reason},
                    {"original_watts", zone.original_w},
                    {"limit_watts", zone.limit_w},
                    {"measured_watts", optional_json(zone.measured_w)},
                    {"effective", optional_json(zone.effective)}});
  }
  return list;
}

void read_zones(const Json& json, CapStatus& status) {
  for (const Json& zone : json) {
    status.zones.push_back(
        {zone.at("zone").get<std::string>(), zone.at("health").get<std::string>(),
         zone.at("reason").get<std::string>(), zone.at("original_watts").get<double>(),
         zone.at("limit_watts").get<double>(), optional_at<double>(zone, "measured_watts"),
         optional_at<bool>(zone, "effective")});
  }
}

}  // namespace

std::string cap_status_json(const CapStatus& status) {
  Json effect = Json::array();
  for (const EffectRow& row : status.effect) {
    effect.push_back({{"workload", row.name},
                      {"free", side_json(row.free)},
                      {"capped", side_json(row.capped)},
                      {"slower", optional_json(row.slower())}});
  }
  const Json json = {{"schema", kStatusSchema},
                     {"mode", status.mode},
                     {"policy", status.policy},
                     {"phase", status.phase},
                     {"time", status.time_s},
                     {"pid", status.pid},
                     {"original_watts", status.original_w},
                     {"floor_watts", status.floor_w},
                     {"ceiling_watts", status.ceiling_w},
                     {"decision_watts", optional_json(status.decision_w)},
                     {"applied_watts", status.applied_w},
                     {"reason", status.reason},
                     {"market",
                      {{"area", status.area},
                       {"unit", status.unit},
                       {"quantity", status.quantity},
                       {"source", status.source},
                       {"value", optional_json(status.value)},
                       {"age_seconds", optional_json(status.data_age_s)},
                       {"until", status.data_until_s},
                       {"period", status.period}}},
                     {"zones", zones_json(status.zones)},
                     {"writes", status.writes},
                     {"contention", status.contention},
                     {"errors", status.errors},
                     {"restores", status.restores},
                     {"effect", std::move(effect)}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<CapStatus> parse_cap_status(const std::string& text) {
  try {
    const Json json = Json::parse(text);
    if (json.at("schema").get<std::string>() != kStatusSchema) {
      return fail(ErrorCode::kMalformed, "the status is of another version of powertrace");
    }
    CapStatus status;
    status.mode = json.at("mode").get<std::string>();
    status.policy = json.at("policy").get<std::string>();
    status.phase = json.at("phase").get<std::string>();
    status.time_s = json.at("time").get<std::int64_t>();
    status.pid = json.at("pid").get<std::int64_t>();
    status.original_w = json.at("original_watts").get<double>();
    status.floor_w = json.at("floor_watts").get<double>();
    status.ceiling_w = json.at("ceiling_watts").get<double>();
    status.decision_w = optional_at<double>(json, "decision_watts");
    status.applied_w = json.at("applied_watts").get<double>();
    status.reason = json.at("reason").get<std::string>();
    const Json& market = json.at("market");
    status.area = market.at("area").get<std::string>();
    status.unit = market.at("unit").get<std::string>();
    status.quantity = market.at("quantity").get<std::string>();
    status.source = market.at("source").get<std::string>();
    status.value = optional_at<double>(market, "value");
    status.data_age_s = optional_at<double>(market, "age_seconds");
    status.data_until_s = market.at("until").get<std::int64_t>();
    status.period = market.at("period").get<std::string>();
    read_zones(json.at("zones"), status);
    status.writes = json.at("writes").get<std::uint64_t>();
    status.contention = json.at("contention").get<std::uint64_t>();
    status.errors = json.at("errors").get<std::map<std::string, std::uint64_t>>();
    status.restores = json.at("restores").get<std::map<std::string, std::uint64_t>>();
    for (const Json& row : json.at("effect")) {
      status.effect.push_back({row.at("workload").get<std::string>(), side_from(row.at("free")),
                               side_from(row.at("capped"))});
    }
    return status;
  } catch (const Json::exception& error) {
    return fail(ErrorCode::kMalformed, "the status cannot be read: {}", error.what());
  }
}

}  // namespace powertrace
