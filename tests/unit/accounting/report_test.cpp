// SPDX-License-Identifier: Apache-2.0
#include "accounting/report.hpp"

#include <algorithm>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "accounting/estimate.hpp"
#include "history/database.hpp"
#include "support/temp_dir.hpp"
#include "unit/history/samples.hpp"

using namespace powertrace;
using namespace powertrace::test;
using nlohmann::json;

namespace {

UtcMs at(const char* text) {
  return parse_rfc3339(text).value();
}

CostModel flat() {
  CostModel model;
  model.pue = 1.3;
  model.price = Curve::constant(0.12);
  model.intensity = Curve::constant(400);
  model.carbon_price = 0.05;
  model.currency = "EUR";
  return model;
}

// 60 W of a shop's pod and 40 W of [idle] for two hours.
std::unique_ptr<HistoryDatabase> two_hours(const TempDir& dir, UtcMs start) {
  auto database = HistoryDatabase::open(dir.path("history.db"), {});
  REQUIRE(database.has_value());
  Workload idle;
  idle.node = "n1";
  idle.kind = WorkloadKind::kIdle;
  for (int minute = 0; minute < 120; ++minute) {
    REQUIRE(
        (*database)
            ->add(std::vector{minute_at(start + minute * kMinuteMs,
                                        {{pod_workload("shop", "web"), usage(3'600'000'000'000)},
                                         {idle, usage(2'400'000'000'000)}})})
            .has_value());
  }
  return std::move(*database);
}

}  // namespace

TEST_CASE("the worked example from the history: 100 W for two hours") {
  const TempDir dir;
  const UtcMs start = at("2026-10-25T00:00:00Z");
  const auto database = two_hours(dir, start);
  const CostModel model = flat();
  CostQuestion question{{start, start + 2 * kHourMs}, Dimension::kNamespace};
  const CostReport report = report_cost(*database, model, question).value();
  REQUIRE(report.rows.size() == 2);
  CHECK(report.rows[0].id == "shop");
  CHECK(report.rows[1].id == "[idle]");
  CHECK(report.total.total() == doctest::Approx(2 * 0.0182).epsilon(1e-12));
  CHECK(report.rows[0].cost.total() == doctest::Approx(2 * 0.0182 * 0.6).epsilon(1e-12));
  CHECK(report.coverage == doctest::Approx(1));

  const json document = json::parse(cost_json(model, report));
  CHECK(document["currency"] == "EUR");
  CHECK(document["total"]["electricity"] == 0.0312);
  CHECK(document["total"]["carbon_g"] == 104.0);
  CHECK(document["rows"][0]["namespace"] == "shop");
  CHECK(document["rows"][0]["share"] == 0.6);
  CHECK(document["next_cursor"].is_null());
  const json page = json::parse(cost_json(model, report, {0, 1}));
  CHECK(page["rows"].size() == 1);
  CHECK(page["next_cursor"] == "1");
  CHECK(json::parse(cost_json(model, report, {7, 1}))["rows"].empty());
}

TEST_CASE("hours of the day on which clocks change, each at its own price") {
  const TempDir dir;
  const UtcMs start = at("2026-10-25T00:00:00Z");
  const auto database = two_hours(dir, start);
  CostModel model = flat();
  model.price = Curve::from_slots(
                    {{start, start + kHourMs, 0.10}, {start + kHourMs, start + 2 * kHourMs, -0.02}})
                    .value();
  CostQuestion question{
      {start, start + 2 * kHourMs}, Calendar::kHour, TimeZone::find("Europe/Paris").value()};
  const CostReport report = report_cost(*database, model, question).value();
  const json document = json::parse(cost_json(model, report));
  REQUIRE(document["buckets"].size() == 2);
  CHECK(document["buckets"][0]["start"] == "2026-10-25T02:00:00+02:00");
  CHECK(document["buckets"][1]["start"] == "2026-10-25T02:00:00+01:00");
  CHECK(document["buckets"][0]["electricity"] == 0.013);
  CHECK(document["buckets"][1]["electricity"] == -0.0026);
  double sum = 0;
  for (const json& bucket : document["buckets"]) {
    sum += bucket["cost"].get<double>();
  }
  CHECK(sum == doctest::Approx(document["total"]["cost"].get<double>()).epsilon(1e-9));
}

TEST_CASE("CSV quotes hostile names, tables show no control characters") {
  const TempDir dir;
  auto database = HistoryDatabase::open(dir.path("history.db"), {});
  REQUIRE(database.has_value());
  REQUIRE((*database)
              ->add(std::vector{minute_at(0, {{pod_workload("a,\"b", "p"), usage(10)},
                                              {pod_workload("=cmd()", "p"), usage(9)},
                                              {pod_workload("\x1b[31m", "p"), usage(8)},
                                              {pod_workload("\xff\xfe", "p"), usage(7)}})})
              .has_value());
  const CostReport report =
      report_cost(**database, CostModel{}, {{0, kMinuteMs}, Dimension::kNamespace}).value();
  const std::string csv = cost_csv(CostModel{}, report);
  CHECK(csv.find("\"a,\"\"b\"") != std::string::npos);
  CHECK(csv.find("'=cmd()") != std::string::npos);
  CHECK(cost_table(CostModel{}, report).find('\x1b') == std::string::npos);
  CHECK(json::accept(cost_json(CostModel{}, report)));
}

TEST_CASE("bad questions are refused") {
  const TempDir dir;
  const auto database = two_hours(dir, 0);
  CHECK(report_cost(*database, flat(), {{kHourMs, kHourMs}}).error().code == ErrorCode::kUsage);
  CHECK(report_cost(*database, flat(), {{0, 5000 * kDayMs}}).error().code == ErrorCode::kUsage);
  CHECK_FALSE(parse_cost_by("week").has_value());
  CHECK(cost_by_name(parse_cost_by("hour").value()) == "hour");
  CHECK(cost_by_name(parse_cost_by("pod").value()) == "pod");
}

TEST_CASE("the estimate of the contract") {
  const CostModel model = flat();
  const Estimate estimate = estimate_cost(model, 100, 1, 0).value();
  const json document = json::parse(estimate_json(model, estimate));
  CHECK(document["energy_kwh"] == 0.13);
  CHECK(document["electricity"] == 0.0156);
  CHECK(document["carbon_g"] == 52.0);
  CHECK(document["carbon_cost"] == 0.0026);
  CHECK(document["total"] == 0.0182);
  CHECK(document["currency"] == "EUR");
  CHECK_FALSE(estimate_cost(model, -1, 1, 0).has_value());
  CHECK_FALSE(estimate_cost(model, 1, 0, 0).has_value());
  CHECK_FALSE(estimate_cost(model, 1e9, 1e6, 0).has_value());
  CHECK(json::parse(estimate_json({}, estimate_cost({}, 5, 5, 0).value()))["total"].is_null());
}
