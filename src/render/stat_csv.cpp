// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "render/stat.hpp"
#include "render/stat_figures.hpp"

namespace powertrace {
namespace {

struct Column {
  std::string name;
  StatValue value;
};

std::vector<Column> columns(const StatReport& report) {
  std::vector<Column> all;
  for (const StatFigure& figure : stat_figures()) {
    all.push_back({figure.name, figure.value});
  }
  for (std::size_t z = 0; z < report.zones.size(); ++z) {
    all.push_back({"joules_" + report.zones[z].name, [z](const StatRun& run) {
                     return std::optional(static_cast<double>(run.zones[z].command.nj) / 1e9);
                   }});
  }
  const auto add_count = [&](const char* name, auto member) {
    all.push_back({name, [member](const StatRun& run) {
                     return std::optional(static_cast<double>(run.*member));
                   }});
  };
  add_count("exit_status", &StatRun::exit_status);
  add_count("lost_slices", &StatRun::lost_slices);
  add_count("lost_events", &StatRun::lost_events);
  return all;
}

std::string field(std::optional<double> value) {
  return value ? fmt::format(",{}", *value) : ",";
}

}  // namespace

std::string stat_csv(const StatReport& report) {
  const std::vector<Column> all = columns(report);
  std::string out = "run";
  for (const Column& column : all) {
    out += "," + column.name;
  }
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    out += fmt::format("\n{}", i + 1);
    for (const Column& column : all) {
      out += field(column.value(report.runs[i]));
    }
  }
  if (report.runs.size() > 1) {
    std::string mean = "\nmean";
    std::string deviation = "\nstddev";
    for (const Column& column : all) {
      const std::optional<StatSpread> over = spread(report.runs, column.value);
      mean += field(over ? std::optional(over->mean) : std::nullopt);
      deviation += field(over ? over->deviation : std::nullopt);
    }
    out += mean + deviation;
  }
  return out + "\n";
}

}  // namespace powertrace
