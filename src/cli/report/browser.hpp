// SPDX-License-Identifier: Apache-2.0
//
// A recording on the screen: a table of who used the energy, what a row consists of, and the power
// over time. State and view, without a terminal; single-threaded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/top/canvas.hpp"
#include "cli/top/top_model.hpp"
#include "model/rollup.hpp"
#include "model/snapshot.hpp"
#include "report/functions.hpp"
#include "report/profile.hpp"
#include "report/timeline.hpp"

namespace powertrace::browse {

// What is shown. `profile` has cells only if stacks were sampled.
struct Recorded {
  std::string file;
  SnapshotPtr snapshot;
  report::Profile profile;
  report::Timeline timeline;
};

class Browser {
 public:
  Browser(const Recorded& recorded, Level level, bool functions, top::Glyphs glyphs);

  // False: the user wants to leave.
  bool press(const top::Key& key, top::Size size);
  [[nodiscard]] top::Frame render(top::Size size) const;

 private:
  struct Tab {
    std::string name;
    std::optional<Level> level;  // nullopt: functions
  };
  // A line of the table.
  struct Entry {
    std::string name;
    std::string search;  // with what a filter also looks at
    std::int64_t energy_nj = 0;
    std::int64_t total_nj = 0;  // of functions: with all they called
    double plus_minus_nj = 0;
    std::uint64_t run_ns = 0;
    std::size_t source = 0;  // in rows_ or functions_
  };

  void load();
  void filter();
  bool press_filter(const top::Key& key);
  void move(std::ptrdiff_t by, top::Size size);
  void scroll(std::ptrdiff_t by, top::Size size);

  [[nodiscard]] std::size_t page(top::Size size) const;
  // So that the selected row is on the screen, whatever its size was before.
  [[nodiscard]] std::size_t first_shown(top::Size size) const;
  [[nodiscard]] top::Line title(top::Size size) const;

  void add_graph(const std::vector<std::int64_t>& energies,
                 std::size_t columns,
                 std::size_t height,
                 std::vector<top::Line>& lines) const;
  void add_table(top::Size size, std::vector<top::Line>& lines) const;
  // Of the selected row.
  [[nodiscard]] std::vector<top::Line> detail(std::size_t columns) const;
  [[nodiscard]] std::vector<top::Line> row_detail(const Row& row, std::size_t columns) const;
  [[nodiscard]] std::vector<top::Line> function_detail(const report::FunctionEnergy& row) const;
  void add_shares(const char* heading,
                  std::vector<std::pair<std::string, std::int64_t>> shares,
                  std::vector<top::Line>& lines) const;

  const Recorded& recorded_;
  top::Glyphs glyphs_;
  double seconds_ = 1;
  std::int64_t all_nj_ = 0;
  std::vector<std::int64_t> power_;  // energy of all zones that count, by step
  std::vector<Tab> tabs_;
  std::size_t tab_ = 0;
  std::vector<Row> rows_;                          // of the tab
  std::vector<report::FunctionEnergy> functions_;  // of the tab
  std::vector<Entry> all_;
  std::vector<Entry> entries_;  // those that the filter leaves
  std::size_t selected_ = 0;
  std::size_t first_ = 0;  // shown
  std::string filter_;
  bool typing_ = false;
  bool detail_open_ = false;
  std::size_t detail_first_ = 0;
};

}  // namespace powertrace::browse
