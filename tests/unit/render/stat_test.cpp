// SPDX-License-Identifier: Apache-2.0
#include "render/stat.hpp"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <sstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "render/stat_figures.hpp"
#include "support/units.hpp"

namespace powertrace {
namespace {

using powertrace::test::kSecond;

using Json = nlohmann::json;

constexpr std::int64_t kJoule = 1'000'000'000;

StatRun run_of(std::int64_t command_j) {
  StatRun run;
  run.command = {command_j * kJoule, 0.5e9};
  run.idle = {10 * kJoule, 0.25e9};
  run.machine = {40 * kJoule, 1e9};
  run.unattributed_nj = 1;
  run.zones = {{run.command, run.idle, run.machine, 2 * kSecond, ZoneStatus::kOk, 0},
               {{7 * kJoule, 0.1e9}, {}, {50 * kJoule, 1e9}, 2 * kSecond, ZoneStatus::kOk, 0}};
  run.interval_ns = 2 * kSecond;
  run.windows = 20;
  run.run_ns = 3 * kSecond;
  run.counted_ns = 3 * kSecond / 2;
  run.cycles = 4e9;
  run.instructions = 8e9;
  run.processes = 3;
  run.threads = 5;
  run.elapsed_ns = 2 * kSecond;
  run.user_ns = 2 * kSecond;
  run.system_ns = kSecond;
  return run;
}

StatReport report_of(std::vector<StatRun> runs) {
  StatReport report;
  report.command = {"make", "-j2"};
  report.realtime_ns = 1'700'000'000ULL * kSecond;
  report.runs_wanted = runs.size();
  report.source = {"powercap", true, 0};
  report.idle_known = true;
  report.zones.resize(2);
  report.zones[0].name = "package-0";
  report.zones[0].in_total = report.zones[0].measured = true;
  report.zones[1].name = "psys";
  report.zones[1].kind = ZoneKind::kPsys;
  report.runs = std::move(runs);
  return report;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// The one line of the table with that label, its runs of blanks made one.
std::string line_of(const std::string& table, std::string_view label) {
  std::istringstream lines(table);
  std::string found;
  for (std::string line; std::getline(lines, line);) {
    if (has(line, label)) {
      CHECK(found.empty());
      line.erase(std::unique(line.begin(), line.end(),
                             [](char a, char b) { return a == ' ' && b == ' '; }),
                 line.end());
      found = line;
    }
  }
  return found;
}

}  // namespace

TEST_CASE("stat figures: what is derived follows from what was measured") {
  const std::vector<StatRun> runs{run_of(20)};
  const auto value = [&](const char* name) { return spread(runs, name).value().mean; };
  CHECK(value("joules") == 20);
  CHECK(value("share") == 0.5);
  CHECK(value("watts") == 10);
  CHECK(value("plus_minus_watts") == 0.25);
  CHECK(value("edp_js") == 40);
  CHECK(value("plus_minus_edp_js") == 1);
  CHECK(value("cpus_utilised") == 1.5);
  CHECK(value("ipc") == 2);
  CHECK(value("nj_per_instruction") == 2.5);
  CHECK(value("counted_share") == 0.5);
  CHECK_FALSE(spread(runs, "joules")->deviation);
  CHECK_FALSE(spread(runs, "no such figure"));
}

TEST_CASE("stat figures: mean and sample standard deviation over runs") {
  std::vector<StatRun> runs{run_of(10), run_of(20), run_of(30)};
  const auto joules = spread(runs, "joules");
  CHECK(joules->mean == doctest::Approx(20));
  CHECK(joules->deviation.value() == doctest::Approx(10));
  runs[1].cycles = 0;  // not counted in that run: it does not pull the mean down
  CHECK(spread(runs, "cycles")->mean == doctest::Approx(4e9));
}

TEST_CASE("stat figures: nothing is divided by zero") {
  const std::vector<StatRun> runs{StatRun()};
  for (const StatFigure& figure : stat_figures()) {
    CAPTURE(figure.name);
    const auto over = spread(runs, figure.name);
    CHECK((!over || std::isfinite(over->mean)));
  }
  CHECK_FALSE(spread(runs, "share"));
  CHECK_FALSE(spread(runs, "watts"));
}

TEST_CASE("stat table: one run") {
  const std::string table = stat_table(report_of({run_of(20)}));
  CHECK(has(table, "Energy of 'make -j2' and its descendants:\n"));
  CHECK(line_of(table, "  energy ") ==
        " 20.00 J ± 500.0 mJ energy 50.0 % of the machine's 40.00 J");
  CHECK(line_of(table, "package-0") == " 20.00 J ± 500.0 mJ package-0");
  CHECK(line_of(table, "psys") == " 7.00 J ± 100.0 mJ psys not added to the energy");
  CHECK(line_of(table, "mean power") == " 10.00 W ± 0.250 W mean power");
  CHECK(line_of(table, "energy-delay") == " 40 J·s ± 1 J·s energy-delay product");
  CHECK(line_of(table, "elapsed") == " 2.000000 s elapsed");
  CHECK(line_of(table, "CPU time  ") == " 3.000000 s CPU time 1.500 CPUs utilised");
  CHECK(line_of(table, " cycles  ") ==
        " 4000000000 cycles 50.0 % of the CPU time counted, the rest scaled");
  CHECK(line_of(table, " instructions  ") == " 8000000000 instructions 2.00 per cycle");
  CHECK(line_of(table, "J per 1e9") == " 2.500 J per 1e9 instructions");
  CHECK(line_of(table, "idle energy") ==
        " 10.00 J ± 250.0 mJ idle energy the machine's, besides the energy above");
  CHECK(line_of(table, "processes") == " 3 processes 5 threads");
  CHECK(has(table, "source powercap, model time, idle separate, 20 windows\n"));
  CHECK_FALSE(has(table, "WARNING"));
  CHECK_FALSE(has(table, "NOTE"));
  CHECK_FALSE(has(table, "exit status"));
}

TEST_CASE("stat table: several runs spread") {
  StatReport report = report_of({run_of(10), run_of(20), run_of(30)});
  report.runs[1].exit_status = 3;
  report.runs[2].exit_status = 143;
  report.runs[2].signal = SIGTERM;
  report.runs_wanted = 5;
  report.interrupted = true;
  const std::string table = stat_table(report);
  CHECK(has(table, "mean ± standard deviation over 3 runs"));
  CHECK(line_of(table, "  energy ") == " 20.00 J ± 10.00 J energy 50.0 % of the machine's 40.00 J");
  CHECK(has(table, "each energy is uncertain by ± 500.0 mJ\n"));
  CHECK(has(table, "run 2: exit status 3\n"));
  CHECK(has(table, "run 3: ended by signal 15 (Terminated)\n"));
  CHECK(has(table, "interrupted: 3 of 5 runs\n"));
}

TEST_CASE("stat table: what is missing is said") {
  StatReport report = report_of({run_of(20)});
  StatRun& run = report.runs[0];
  run.cycles = run.instructions = 0;
  run.lost_slices = 4;
  run.lost_events = 5;
  run.survivors = 6;
  run.zones[0].duration_ns = kSecond;
  run.zones[0].status = ZoneStatus::kUnreadable;
  run.zones[0].sys_errno = EACCES;
  report.idle_known = false;
  report.not_counted = "no PMU here";
  report.source = {"synthetic", false, 0.06};
  const std::string table = stat_table(report);
  CHECK(line_of(table, "cycles, instr") == " - cycles, instructions not counted: no PMU here");
  CHECK_FALSE(has(table, "1e9 instructions"));
  CHECK(has(table, "source synthetic (an estimate, ±6 %)"));
  CHECK(has(table, "idle power is not known"));
  CHECK(has(table, "WARNING: 4 slices of run time were lost"));
  CHECK(has(table, "WARNING: 5 lifecycle events were lost: descendants may be missing"));
  CHECK(has(table, "NOTE: 6 descendants still ran"));
  CHECK(has(table,
            "WARNING: package-0 was read for 1.000 s of 2.000 s only; at the end: "
            "unreadable, Permission denied\n"));
}

TEST_CASE("stat table: a command's control characters do not reach the terminal") {
  StatReport report = report_of({run_of(20)});
  report.command = {"sh", "-c", "a\n\x1b[2J"};
  CHECK(has(stat_table(report), "'sh -c a??[2J'"));
}

TEST_CASE("stat json: the schema") {
  StatReport report = report_of({run_of(10), run_of(30)});
  report.runs[1].signal = SIGKILL;
  report.runs[1].exit_status = 137;
  report.runs[1].lost_events = 2;
  const std::string text = stat_json(report);
  CHECK_FALSE(has(text, "\n"));
  const Json json = Json::parse(text);
  CHECK(json["schema"] == "powertrace.stat/1");
  CHECK(json["command"] == Json({"make", "-j2"}));
  CHECK(json["source"]["measured"] == true);
  CHECK(json["not_counted"].is_null());
  CHECK(json["mean"]["joules"] == 20.0);
  CHECK(json["mean"]["zones"]["psys"] == 7.0);
  CHECK(json["stddev"]["joules"].get<double>() == doctest::Approx(std::sqrt(200.0)));
  REQUIRE(json["runs"].size() == 2);
  const Json& run = json["runs"][1];
  CHECK(run["joules"] == 30.0);
  CHECK(run["user_s"] == 2.0);
  CHECK(run["processes"].is_number_integer());
  CHECK(run["exit_status"] == 137);
  CHECK(run["signal"] == SIGKILL);
  CHECK(run["lost"]["events"] == 2);
  CHECK(run["zones"][1]["zone"] == "psys");
  CHECK(run["zones"][1]["in_total"] == false);
  CHECK(json["runs"][0]["signal"].is_null());
}

TEST_CASE("stat json: one run has no deviation, and what was not counted is null") {
  StatReport report = report_of({run_of(10)});
  report.runs[0].cycles = report.runs[0].instructions = 0;
  report.not_counted = "no PMU here";
  report.command = {"caf\xe9"};  // not UTF-8
  const Json json = Json::parse(stat_json(report));
  CHECK(json["stddev"].is_null());
  CHECK(json["mean"]["cycles"].is_null());
  CHECK(json["runs"][0]["ipc"].is_null());
  CHECK(json["not_counted"] == "no PMU here");
}

TEST_CASE("stat csv: a line per run, then mean and deviation; every line has all columns") {
  StatReport report = report_of({run_of(10), run_of(30)});
  report.runs[0].cycles = 0;
  std::istringstream lines(stat_csv(report));
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line + ",");
    rows.emplace_back();
    for (std::string one; std::getline(fields, one, ',');) {
      rows.back().push_back(one);
    }
  }
  REQUIRE(rows.size() == 5);
  for (const auto& row : rows) {
    CHECK(row.size() == rows[0].size());
  }
  const auto column = [&](const char* name) {
    const auto at = std::find(rows[0].begin(), rows[0].end(), name);
    REQUIRE(at != rows[0].end());
    return static_cast<std::size_t>(at - rows[0].begin());
  };
  CHECK(rows[1][0] == "1");
  CHECK(rows[3][0] == "mean");
  CHECK(rows[4][0] == "stddev");
  CHECK(rows[2][column("joules")] == "30");
  CHECK(rows[3][column("joules")] == "20");
  CHECK(rows[1][column("cycles")].empty());
  CHECK(rows[4][column("cycles")].empty());
  CHECK(rows[3][column("joules_psys")] == "7");
}

}  // namespace powertrace
