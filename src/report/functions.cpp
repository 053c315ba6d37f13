// SPDX-License-Identifier: Apache-2.0
#include "report/functions.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "render/figures.hpp"
#include "render/text.hpp"
#include "report/rows.hpp"

namespace powertrace::report {
namespace {

double seconds(const Profile& profile) {
  return std::max(static_cast<double>(profile.duration_ns) / 1e9, 1e-9);
}

std::int64_t all_nj(const Profile& profile) {
  std::int64_t sum = profile.idle_nj + profile.unattributed_nj;
  for (const StackEnergy& cell : profile.cells) {
    sum += cell.energy_nj;
  }
  return sum;
}

}  // namespace

namespace {

// Rows of functions, or of caller and function.
class FunctionRows {
 public:
  FunctionRows(const Profile& profile, bool callers) : profile_(profile), callers_(callers) {}

  void add(const StackEnergy& cell) {
    const std::vector<std::size_t>& stack = profile_.stacks[cell.stack];
    ++stamp_;
    for (std::size_t i = 0; i < stack.size(); ++i) {
      const std::size_t row = find(i > 0 && callers_ ? stack[i - 1] + 1 : 0, stack[i]);
      if (stamps_[row] != stamp_) {  // recursion counts once
        stamps_[row] = stamp_;
        rows_[row].total_nj += cell.energy_nj;
      }
      if (i + 1 == stack.size()) {
        add_self(rows_[row], cell);
      }
    }
  }
  void add_special(const std::string& name, const StackEnergy& cell) {
    FunctionEnergy& row = rows_.emplace_back();
    row.name = name;
    row.total_nj = cell.energy_nj;
    add_self(row, cell);
  }
  std::vector<FunctionEnergy> take();

 private:
  static void add_self(FunctionEnergy& row, const StackEnergy& cell) {
    row.self_nj += cell.energy_nj;
    row.run_ns += cell.run_ns;
    row.samples += cell.samples;
  }
  // `caller`: one more than its number; 0: none.
  std::size_t find(std::size_t caller, std::size_t function) {
    const auto [at, added] =
        ids_.try_emplace(std::uint64_t{caller} << 32U | function, rows_.size());
    if (added) {
      const Function& found = profile_.functions[function];
      FunctionEnergy& row = rows_.emplace_back();
      row.name = (caller > 0 ? profile_.functions[caller - 1].name + " > " : "") + found.name;
      row.module = found.module;
      stamps_.push_back(0);
    }
    return at->second;
  }

  const Profile& profile_;
  bool callers_;
  std::uint64_t stamp_ = 0;
  std::unordered_map<std::uint64_t, std::size_t> ids_;
  std::vector<FunctionEnergy> rows_;
  std::vector<std::uint64_t> stamps_;  // by row: the cell that was counted last
};

std::vector<FunctionEnergy> FunctionRows::take() {
  std::sort(rows_.begin(), rows_.end(), [](const FunctionEnergy& a, const FunctionEnergy& b) {
    return std::tie(b.self_nj, b.total_nj, a.name, a.module) <
           std::tie(a.self_nj, a.total_nj, b.name, b.module);
  });
  return std::move(rows_);
}

}  // namespace

std::vector<FunctionEnergy> function_energies(const Profile& profile, bool callers) {
  FunctionRows rows(profile, callers);
  StackEnergy others;
  for (const StackEnergy& cell : profile.cells) {
    if (profile.subjects[cell.subject].selected) {
      rows.add(cell);
    } else {
      others.energy_nj += cell.energy_nj;
      others.run_ns += cell.run_ns;
      others.samples += cell.samples;
    }
  }
  if (others.run_ns > 0 || others.energy_nj > 0) {
    rows.add_special("[others]", others);
  }
  rows.add_special("[idle]", {0, 0, 0, profile.idle_nj, 0});
  rows.add_special("[unattributed]", {0, 0, 0, profile.unattributed_nj, 0});
  return rows.take();
}

std::string functions_table(const Profile& profile,
                            const std::vector<FunctionEnergy>& rows,
                            std::size_t top) {
  const auto all = static_cast<double>(std::max<std::int64_t>(all_nj(profile), 1));
  std::string out =
      fmt::format("{:>10} {:>8} {:>6} {:>10} {:>6} {:>8}  {:<20} {}\n", "SELF J", "WATTS", "SHARE",
                  "TOTAL J", "SHARE", "SAMPLES", "MODULE", "FUNCTION");
  std::size_t shown = 0;
  for (const FunctionEnergy& row : rows) {
    if (top != 0 && shown++ == top) {
      break;
    }
    const auto self = static_cast<double>(row.self_nj);
    const auto total = static_cast<double>(row.total_nj);
    out +=
        fmt::format("{:>10.6f} {:>8} {:>5.1f}% {:>10.6f} {:>5.1f}% {:>8}  {:<20} {}\n", self / 1e9,
                    format_watts(self / 1e9 / seconds(profile)), self * 100 / all, total / 1e9,
                    total * 100 / all, row.samples, printable(row.module), printable(row.name));
  }
  return out;
}

std::string functions_csv(const Profile& profile, const std::vector<FunctionEnergy>& rows) {
  std::string out = "function,module,self_joules,total_joules,watts,cpu_seconds,samples\n";
  for (const FunctionEnergy& row : rows) {
    out += fmt::format("{},{},{:.9f},{:.9f},{:.6f},{:.9f},{}\n", csv_field(row.name),
                       csv_field(row.module), static_cast<double>(row.self_nj) / 1e9,
                       static_cast<double>(row.total_nj) / 1e9,
                       static_cast<double>(row.self_nj) / 1e9 / seconds(profile),
                       static_cast<double>(row.run_ns) / 1e9, row.samples);
  }
  return out;
}

std::string functions_json(const Profile& profile, const std::vector<FunctionEnergy>& rows) {
  nlohmann::ordered_json json{{"schema", "powertrace.functions/1"},
                              {"duration_s", static_cast<double>(profile.duration_ns) / 1e9},
                              {"total", {{"joules", static_cast<double>(all_nj(profile)) / 1e9}}}};
  auto& list = json["rows"] = nlohmann::ordered_json::array();
  for (const FunctionEnergy& row : rows) {
    list.push_back({{"kind", "symbol"},
                    {"function", row.name},
                    {"module", row.module},
                    {"joules", static_cast<double>(row.self_nj) / 1e9},
                    {"total_joules", static_cast<double>(row.total_nj) / 1e9},
                    {"watts", static_cast<double>(row.self_nj) / 1e9 / seconds(profile)},
                    {"cpu_seconds", static_cast<double>(row.run_ns) / 1e9},
                    {"samples", row.samples}});
  }
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace powertrace::report
