// SPDX-License-Identifier: Apache-2.0
#include "capping/status.hpp"

#include <algorithm>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "support/text.hpp"

using namespace powertrace;

namespace {

using powertrace::test::contains;

CapStatus sample() {
  CapStatus status;
  status.mode = "enforce";
  status.policy = "price-rank";
  status.phase = "following";
  status.time_s = 1000;
  status.pid = 7;
  status.original_w = 410;
  status.floor_w = 205;
  status.ceiling_w = 410;
  status.decision_w = 300.5;
  status.applied_w = 310;
  status.reason = "0.0949 EUR/kWh";
  status.area = "FR";
  status.unit = "EUR/kWh";
  status.quantity = "price";
  status.source = "energy-charts";
  status.value = 0.0949;
  status.data_age_s = 12;
  status.data_until_s = 2000;
  status.period = "23:45-24:00";
  status.zones = {{"package-0", "ok", "", 205, 155, 120.5, true},
                  {"package-1", "locked", "it is \"locked\"\n", 205, 205, {}, {}}};
  status.writes = 4;
  status.contention = 1;
  status.errors = {{"locked", 1}};
  status.restores = {{"stale", 2}};
  status.effect = {{"/a\\b\"c", {10, 5, 1, 3, 0.1}, {20, 4, 1, 2.7, {}}}};
  return status;
}

}  // namespace

TEST_CASE("The status survives its file") {
  const std::string text = cap_status_json(sample());
  const auto read = parse_cap_status(text);
  REQUIRE(read);
  CHECK(cap_status_json(*read) == text);
  CHECK(read->zones[1].measured_w == std::nullopt);
  for (std::size_t length = 0; length + 2 < text.size(); length += 11) {
    CHECK(!parse_cap_status(text.substr(0, length)));
  }
  CHECK(!parse_cap_status("[]"));
  CHECK(!parse_cap_status("{\"schema\":\"x\"}"));
}

TEST_CASE("Metrics have a type each and escaped labels") {
  const std::string text = cap_metrics(sample());
  for (const char* line :
       {"powertrace_powercap_limit_watts{zone=\"package-0\",constraint=\"long_term\"} 155\n",
        "powertrace_powercap_original_watts{zone=\"package-1\",constraint=\"long_term\"} 205\n",
        "powertrace_powercap_decision_watts{policy=\"price-rank\"} 300.5\n",
        "powertrace_powercap_mode{mode=\"enforce\"} 1\n",
        "powertrace_powercap_mode{mode=\"observe\"} 0\n", "powertrace_powercap_writes_total 4\n",
        "powertrace_powercap_contention_total 1\n",
        "powertrace_powercap_errors_total{reason=\"locked\"} 1\n",
        "powertrace_powercap_restores_total{trigger=\"stale\"} 2\n",
        "powertrace_market_price{area=\"FR\",unit=\"EUR/kWh\"} 0.0949\n",
        "powertrace_market_data_age_seconds 12\n",
        "powertrace_powercap_workload_watts{workload=\"/a\\\\b\\\"c\",state=\"capped\"} 4\n"}) {
    CHECK_MESSAGE(contains(text, line), line);
  }
}

TEST_CASE("All metrics are described, with their labels") {
  CapStatus status = sample();
  status.effect[0].capped.stalled = 0.2;
  const std::string text = cap_metrics(status);
  for (const CapMetric& family : cap_metric_families()) {
    CAPTURE(family.name);
    CHECK(contains(text, fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", family.name, family.help,
                                     family.type)));
    const std::size_t at =
        text.find(fmt::format("\n{}{}", family.name, family.labels.empty() ? " " : "{"));
    REQUIRE(at != std::string::npos);
    const std::string line = text.substr(at + 1, text.find('\n', at + 1) - at - 1);
    std::size_t begin = 0;
    for (std::size_t count = 0; begin < family.labels.size(); ++count) {
      const std::size_t end = std::min(family.labels.find(',', begin), family.labels.size());
      const std::string name(family.labels.substr(begin, end - begin));
      CHECK(contains(line, (count == 0 ? "{" : ",") + name + "=\""));
      begin = end + 1;
    }
  }
  status.effect[0].free.ghz = status.effect[0].capped.ghz = 0;
  CHECK(!contains(cap_metrics(status), "gigahertz{"));
}

TEST_CASE("The text names what matters and what is old") {
  const std::string text = cap_status_text(sample(), 1010);
  CHECK(contains(text, "enforce (price-rank), following: 310.0 W of 410.0 W"));
  CHECK(contains(text, "locked"));
  CHECK(contains(text, "10 %"));
  CHECK(!contains(text, "is gone or hangs"));
  CHECK(contains(cap_status_text(sample(), 2000), "is gone or hangs"));
}
