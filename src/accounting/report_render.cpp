// SPDX-License-Identifier: Apache-2.0
//
// A CostReport as JSON, CSV and table.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "accounting/figures.hpp"
#include "accounting/json.hpp"
#include "accounting/report.hpp"
#include "base/units.hpp"
#include "cost/units.hpp"

namespace powertrace {
namespace {

Json optional_json(const std::optional<double>& value) {
  return value ? Json(decimals(*value)) : Json(nullptr);
}

bool by_when(const CostReport& report) {
  return std::holds_alternative<Calendar>(report.question.by);
}

std::string name_of(const CostReport& report, const CostRow& row) {
  return by_when(report) ? report.question.zone.format(row.range.start) : row.id;
}

// Text that a spreadsheet neither splits nor executes.
std::string csv_field(std::string text) {
  if (!text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos) {
    text.insert(0, "'");
  }
  if (text.find_first_of(",\"\n\r") == std::string::npos) {
    return text;
  }
  std::string quoted = "\"";
  for (const char c : text) {
    quoted += c == '"' ? "\"\"" : std::string(1, c);
  }
  return quoted + "\"";
}

std::string plain(std::optional<double> value) {
  return value ? fmt::format("{}", decimals(*value)) : "";
}

// Control characters of a hostile name do not reach the terminal.
std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
  return text;
}

}  // namespace

Json cost_figures(const CostModel& model, const Cost& cost) {
  const auto known = [](bool is_known, double value) {
    return is_known ? Json(decimals(value)) : Json(nullptr);
  };
  return {{"joules", joules(cost.energy_nj)},
          {"it_energy_kwh", decimals(static_cast<double>(cost.energy_nj) / kNanojoulesPerKwh)},
          {"energy_kwh", decimals(facility_kwh(model, cost))},
          {"price_per_kwh", optional_json(mean_price(model, cost))},
          {"electricity", known(!model.price.empty(), cost.electricity)},
          {"carbon_g_per_kwh", optional_json(mean_intensity(model, cost))},
          {"carbon_g", known(!model.intensity.empty(), cost.carbon_g)},
          {"carbon_cost", known(model.carbon_price.has_value(), cost.carbon_cost)},
          {"embodied_g", known(model.embodied.has_value(), cost.embodied_g)},
          {"cost", known(!model.currency.empty(), cost.total())},
          {"unpriced_joules",
           model.price.empty() ? Json(nullptr) : Json(joules(cost.energy_nj - cost.priced_nj))}};
}

Json names_json(const Workload& who) {
  const auto text = [](const std::string& value) {
    return value.empty() ? Json(nullptr) : Json(value);
  };
  return {{"node_name", text(who.node)},
          {"namespace", text(who.name_space)},
          {"pod_name", text(who.pod)},
          {"pod_uid", text(who.pod_uid)},
          {"container_name", text(who.container)},
          {"container_id", text(who.container_id)},
          {"cgroup", text(who.cgroup)},
          {"user", text(who.user)}};
}

Json method_json(const CostModel& model) {
  const auto text = [](const std::string& value) {
    return value.empty() ? Json(nullptr) : Json(value);
  };
  return {{"pue", model.pue},
          {"platform_factor", model.platform_factor},
          {"price_source", text(model.price_source)},
          {"carbon_source", text(model.carbon_source)},
          {"carbon_basis", model.intensity.empty() ? Json(nullptr) : Json(model.carbon_basis)},
          {"carbon_price_per_kg", optional_json(model.carbon_price)},
          {"boundary", "processor packages and memory, times platform_factor and PUE"}};
}

std::string dump(const Json& json) {
  // Names are bytes; what is not UTF-8 in them must not end the answer.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string cost_json(const CostModel& model, const CostReport& report, Page page) {
  const TimeZone& zone = report.question.zone;
  const bool buckets = by_when(report);
  Json rows = Json::array();
  const std::size_t end =
      page.first +
      std::min(page.count, report.rows.size() - std::min(page.first, report.rows.size()));
  for (std::size_t i = page.first; i < end; ++i) {
    const CostRow& row = report.rows[i];
    Json entry =
        buckets ? Json{{"start", zone.format(row.range.start)}, {"end", zone.format(row.range.end)}}
                : Json{{"id", row.id}};
    entry.update(cost_figures(model, row.cost));
    if (buckets) {
      entry["coverage"] = decimals(row.coverage);
    } else {
      entry["share"] = report.total.energy_nj > 0
                           ? Json(decimals(static_cast<double>(row.cost.energy_nj) /
                                           static_cast<double>(report.total.energy_nj)))
                           : Json(nullptr);
      entry.update(names_json(row.who));
    }
    rows.push_back(std::move(entry));
  }
  Json json{{"schema", "powertrace.cost/1"},
            {"start", zone.format(report.question.range.start)},
            {"end", zone.format(report.question.range.end)},
            {"by", cost_by_name(report.question.by)},
            {"currency", model.currency.empty() ? Json(nullptr) : Json(model.currency)},
            {"method", method_json(model)},
            {"source", report.source},
            {"measured", report.measured},
            {"coverage", decimals(report.coverage)},
            {"total", cost_figures(model, report.total)},
            {buckets ? "buckets" : "rows", std::move(rows)},
            {"count", report.rows.size()},
            {"next_cursor", end < report.rows.size() ? Json(std::to_string(end)) : Json(nullptr)}};
  return dump(json);
}

std::string cost_csv(const CostModel& model, const CostReport& report) {
  std::string text = by_when(report) ? "start,end" : std::string(cost_by_name(report.question.by));
  text +=
      ",joules,energy_kwh,price_per_kwh,electricity,carbon_g,carbon_cost,cost,currency,coverage\n";
  for (const CostRow& row : report.rows) {
    text += by_when(report) ? report.question.zone.format(row.range.start) + "," +
                                  report.question.zone.format(row.range.end)
                            : csv_field(row.id);
    const bool priced = !model.price.empty();
    text += fmt::format(",{},{},{},{},{},{},{},{},{}\n", joules(row.cost.energy_nj),
                        plain(facility_kwh(model, row.cost)), plain(mean_price(model, row.cost)),
                        priced ? plain(row.cost.electricity) : "",
                        model.intensity.empty() ? "" : plain(row.cost.carbon_g),
                        model.carbon_price ? plain(row.cost.carbon_cost) : "",
                        model.currency.empty() ? "" : plain(row.cost.total()), model.currency,
                        plain(row.coverage));
  }
  return text;
}

std::string cost_table(const CostModel& model, const CostReport& report) {
  std::size_t width = 12;
  for (const CostRow& row : report.rows) {
    width = std::max(width, std::min<std::size_t>(name_of(report, row).size(), 64));
  }
  const auto line = [&](const std::string& name, const std::string& joules_text,
                        const std::string& kwh, const std::string& price, const std::string& grams,
                        const std::string& cost) {
    return fmt::format("{:<{}.64}  {:>13}  {:>12}  {:>10}  {:>10}  {:>16}\n", name, width,
                       joules_text, kwh, price, grams, cost);
  };
  const auto row_line = [&](const std::string& name, const Cost& cost) {
    const auto price = mean_price(model, cost);
    return line(name, fmt::format("{:.1f}", joules(cost.energy_nj)),
                fmt::format("{:.6f}", facility_kwh(model, cost)),
                price ? fmt::format("{:.4f}", *price) : "-",
                model.intensity.empty() ? "-" : format_grams(cost.carbon_g),
                model.currency.empty() ? "-" : format_money(cost.total(), model.currency));
  };
  std::string text = line(std::string(cost_by_name(report.question.by)), "J", "kWh x PUE",
                          "per kWh", "CO2e", "cost");
  for (const CostRow& row : report.rows) {
    text += row_line(printable(name_of(report, row)), row.cost);
  }
  text += row_line("total", report.total);
  text += fmt::format("{} to {}, {:.1f} % of it measured{}; {}\n",
                      report.question.zone.format(report.question.range.start),
                      report.question.zone.format(report.question.range.end), report.coverage * 100,
                      report.measured ? "" : ", an ESTIMATE", report.source);
  return text;
}

}  // namespace powertrace
