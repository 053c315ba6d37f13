// SPDX-License-Identifier: Apache-2.0
#include "accounting/answers.hpp"

#include <algorithm>
#include <cmath>

#include "accounting/figures.hpp"
#include "accounting/json.hpp"

namespace powertrace {
namespace {

Json kinds_json(const Usage& use) {
  Json kinds = Json::object();
  for (std::size_t i = 0; i < kEnergyKinds; ++i) {
    if (use.energy_nj[i] != 0) {
      kinds[std::string(kEnergyKindNames[i])] = static_cast<double>(use.energy_nj[i]) / 1e9;
    }
  }
  return kinds;
}

Json range_json(const TimeRange& range, double coverage, const HistoryStore& store, bool measured) {
  return {{"start", format_rfc3339(range.start)}, {"end", format_rfc3339(range.end)},
          {"duration_s", range.seconds()},        {"coverage", decimals(coverage)},
          {"source", store.describe()},           {"measured", measured}};
}

// The slice of a list, and the cursor after it.
Json page_of(Json list, Page page, Json& next) {
  const std::size_t first = std::min(page.first, list.size());
  const std::size_t end = first + std::min(page.count, list.size() - first);
  next = end < list.size() ? Json(std::to_string(end)) : Json(nullptr);
  Json part = Json::array();
  for (std::size_t i = first; i < end; ++i) {
    part.push_back(std::move(list[i]));
  }
  return part;
}

}  // namespace

Result<std::string> workload_json(HistoryStore& store,
                                  const CostModel& model,
                                  const std::string& id,
                                  TimeRange range) {
  CostQuestion question;
  question.range = range;
  question.by = Dimension::kWorkload;
  question.filter.workload = id;
  PT_ASSIGN(const CostReport report, report_cost(store, model, question));
  if (report.rows.empty()) {
    return fail(ErrorCode::kNotFound,
                "nothing by the name {} used energy from {} to {}: an id is namespace/pod, a pod's "
                "uid, a container's id or a cgroup's path",
                id, format_rfc3339(range.start), format_rfc3339(range.end));
  }
  const Cost& cost = report.total;
  const bool priced = !model.price.empty();
  const double machine = cost.electricity / model.facility_factor();
  Json json{{"workload_id", id}};
  json.update(range_json(range, report.coverage, store, report.measured));
  json.update(names_json(report.rows.front().who));
  json["energy"] = kinds_json(report.use);
  json["joules"] = static_cast<double>(cost.energy_nj) / 1e9;
  json["energy_kwh"] = decimals(facility_kwh(model, cost));
  json["currency"] = model.currency.empty() ? Json(nullptr) : Json(model.currency);
  json["cost"] = {{"electricity", priced ? Json(decimals(machine)) : Json(nullptr)},
                  {"facility", priced ? Json(decimals(cost.electricity - machine)) : Json(nullptr)},
                  {"carbon", model.carbon_price ? Json(decimals(cost.carbon_cost)) : Json(nullptr)},
                  {"total", model.currency.empty() ? Json(nullptr) : Json(decimals(cost.total()))}};
  json["carbon"] = {
      {"operational_g", model.intensity.empty() ? Json(nullptr) : Json(decimals(cost.carbon_g))},
      {"embodied_g", nullptr}};
  if (model.embodied) {  // its share of the machine, by energy
    EnergyQuery whole;
    whole.range = range;
    PT_ASSIGN(const EnergyTable table, store.energy(whole));
    std::int64_t all_nj = 0;
    for (const EnergyPiece& piece : table.pieces) {
      all_nj += piece.energy_nj;
    }
    const double share =
        all_nj > 0 ? static_cast<double>(cost.energy_nj) / static_cast<double>(all_nj) : 0;
    json["carbon"]["embodied_g"] =
        decimals(embodied_g(model, range.seconds() / 3600 * report.coverage) * share);
  }
  json["method"] = method_json(model);
  return dump(json);
}

Result<std::string> power_json(HistoryStore& store,
                               std::string_view key,
                               Dimension by,
                               TimeRange range,
                               const WorkloadFilter& filter,
                               Page page) {
  CostQuestion question;
  question.range = range;
  question.by = by;
  question.filter = filter;
  PT_ASSIGN(const CostReport report, report_cost(store, CostModel{}, question));
  const double seconds = range.seconds() * report.coverage;
  Json list = Json::array();
  for (const CostRow& row : report.rows) {
    const double joules = static_cast<double>(row.cost.energy_nj) / 1e9;
    Json entry{{"id", row.id}};
    entry.update(names_json(row.who));
    entry["joules"] = joules;
    entry["watts"] = seconds > 0 ? Json(decimals(joules / seconds)) : Json(nullptr);
    entry["energy"] = kinds_json(row.use);
    list.push_back(std::move(entry));
  }
  Json json = range_json(range, report.coverage, store, report.measured);
  const std::size_t count = list.size();
  Json next;
  json[std::string(key)] = page_of(std::move(list), page, next);
  json["count"] = count;
  json["next_cursor"] = next;
  return dump(json);
}

}  // namespace powertrace
