// SPDX-License-Identifier: Apache-2.0
//
// The parts that top_view.cpp puts together. Pure.
#pragma once

#include <string>
#include <vector>

#include "cli/top/canvas.hpp"
#include "cli/top/history.hpp"
#include "cli/top/top_model.hpp"

namespace powertrace::top {

struct View {
  const TopModel& model;
  const History& history;  // what is shown: live or paused
  const Snapshot& snapshot;
  const TopSetup& setup;
  Size size;
};

// What fits above the table at this height.
struct Layout {
  bool zones = false;
  bool split = false;
  bool self = false;
  std::size_t graph = 0;  // lines
  bool tabs = false;
  bool head = false;
  bool footer = false;
  std::size_t body = 0;  // lines left
};
Layout plan_layout(Size size);

// The first line: total power, where it comes from, and how far it can be trusted.
Line title_line(const View& view);
void add_header(const View& view, const Layout& layout, std::vector<Line>& lines);

void add_table(const View& view, const Layout& layout, std::vector<Line>& lines);
std::string column_title(Column column, Level level);

// Both may be longer than the screen; the caller scrolls.
std::vector<Line> detail_lines(const View& view);
std::vector<Line> help_lines(const TopSetup& setup);

// "label" in its style, padded, then the text.
Line labelled(std::string_view label, std::string_view text, Style style = Style::kNormal);

// A graph with its scale at the left edge.
void add_graph(const View& view,
               const std::vector<double>& values,
               std::size_t height,
               std::vector<Line>& lines);

// "ESTIMATE ±66 %", or nothing for a measurement.
std::string estimate_text(const View& view);
std::string duration_text(double seconds);  // "01:02:03"
std::string energy_text(std::int64_t nanojoules);

}  // namespace powertrace::top
