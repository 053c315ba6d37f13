// SPDX-License-Identifier: Apache-2.0
#include "report/diff.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "render/figures.hpp"
#include "render/text.hpp"
#include "report/rows.hpp"

namespace powertrace::report {

DiffSide diff_side(const Snapshot& snapshot, const std::vector<Row>& rows) {
  DiffSide side;
  side.seconds = interval_seconds(snapshot);
  std::map<std::string, DiffSide::Entry> by_name;
  for (const Row& row : rows) {
    DiffSide::Entry& entry = by_name[row.name];
    entry.name = row.name;
    entry.joules += static_cast<double>(row.energy_nj) / 1e9;
    entry.sigma = std::hypot(entry.sigma, row.plus_minus_nj / 1e9);
  }
  for (auto& [name, entry] : by_name) {
    side.entries.push_back(std::move(entry));
  }
  return side;
}

std::vector<DiffRow> diff_rows(const DiffSide& before, const DiffSide& after) {
  constexpr double kSignificant = 2;
  std::map<std::string, DiffRow> rows;
  const DiffSide* sides[] = {&before, &after};
  for (int i = 0; i < 2; ++i) {
    double all = 0;
    for (const DiffSide::Entry& entry : sides[i]->entries) {
      all += entry.joules;
    }
    for (const DiffSide::Entry& entry : sides[i]->entries) {
      DiffRow& row = rows[entry.name];
      row.name = entry.name;
      row.joules[i] = entry.joules;
      row.watts[i] = entry.joules / sides[i]->seconds;
      row.share[i] = all > 0 ? entry.joules / all : 0;
      row.sigma = std::hypot(row.sigma, entry.sigma);
    }
  }
  std::vector<DiffRow> result;
  for (auto& [name, row] : rows) {
    row.change = row.joules[1] - row.joules[0];
    row.significant = std::abs(row.change) > kSignificant * row.sigma && row.change != 0;
    result.push_back(std::move(row));
  }
  std::stable_sort(result.begin(), result.end(), [](const DiffRow& a, const DiffRow& b) {
    return std::abs(a.change) > std::abs(b.change);
  });
  return result;
}

std::string diff_table(const std::vector<DiffRow>& rows, std::size_t top) {
  std::string out = fmt::format("{:>11} {:>11} {:>11} {:>9} {:>8} {:>8} {:>7}    {}\n", "BEFORE J",
                                "AFTER J", "CHANGE J", "±", "BEFORE W", "AFTER W", "SHARE", "NAME");
  std::size_t shown = 0;
  for (const DiffRow& row : rows) {
    if (top != 0 && shown++ == top) {
      break;
    }
    out +=
        fmt::format("{:>11.6f} {:>11.6f} {:>+11.6f} {:>9.4f} {:>8} {:>8} {:>+6.1f}% {} {}\n",
                    row.joules[0], row.joules[1], row.change, row.sigma, format_watts(row.watts[0]),
                    format_watts(row.watts[1]), (row.share[1] - row.share[0]) * 100,
                    row.significant ? "*" : " ", printable(row.name));
  }
  return out + "* the change is more than two standard deviations of both sides together\n";
}

std::string diff_json(const std::vector<DiffRow>& rows) {
  nlohmann::ordered_json json{{"schema", "powertrace.diff/1"}};
  auto& list = json["rows"] = nlohmann::ordered_json::array();
  for (const DiffRow& row : rows) {
    list.push_back({{"name", row.name},
                    {"joules_before", row.joules[0]},
                    {"joules_after", row.joules[1]},
                    {"change_joules", row.change},
                    {"plus_minus_joules", row.sigma},
                    {"watts_before", row.watts[0]},
                    {"watts_after", row.watts[1]},
                    {"share_before", row.share[0]},
                    {"share_after", row.share[1]},
                    {"significant", row.significant}});
  }
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string diff_csv(const std::vector<DiffRow>& rows) {
  std::string out =
      "name,joules_before,joules_after,change_joules,plus_minus_joules,watts_before,watts_after,"
      "share_before,share_after,significant\n";
  for (const DiffRow& row : rows) {
    out += fmt::format("{},{:.9f},{:.9f},{:.9f},{:.9f},{:.6f},{:.6f},{:.6f},{:.6f},{}\n",
                       csv_field(row.name), row.joules[0], row.joules[1], row.change, row.sigma,
                       row.watts[0], row.watts[1], row.share[0], row.share[1], row.significant);
  }
  return out;
}

}  // namespace powertrace::report
