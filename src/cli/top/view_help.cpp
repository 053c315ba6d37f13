// SPDX-License-Identifier: Apache-2.0
#include <array>

#include <fmt/format.h>

#include "cli/top/view_parts.hpp"

namespace powertrace::top {
namespace {

struct HelpLine {
  const char* key;
  const char* text;  // without a key: a heading
};

constexpr std::array kHelp{
    HelpLine{"", "Move"},
    HelpLine{"up down j k", "one row; PgUp PgDn a page, Home End the first and last"},
    HelpLine{"Enter", "one row in detail: its power over time, its names, its zones"},
    HelpLine{"", "Choose"},
    HelpLine{"1 ... 7, Tab", "process, thread, comm, cgroup, container, pod, vm"},
    HelpLine{"t", "tree; a parent's figures include its children; left right fold"},
    HelpLine{"/", "filter by name, path, pid, container or pod; Esc clears"},
    HelpLine{"< >  or  s", "sort by another column; r reverses"},
    HelpLine{"W E C N P", "sort by watts, energy, CPU, name, pid"},
    HelpLine{"i", "also rows that did not run just now, with their energy"},
    HelpLine{"", "Time"},
    HelpLine{"p, space", "pause the display; measuring goes on"},
    HelpLine{"+ -", "longer or shorter intervals"},
    HelpLine{"", "Leave"},
    HelpLine{"q, Ctrl-C", "quit; Ctrl-Z suspends, Ctrl-L draws anew"},
    HelpLine{"", "Figures"},
    HelpLine{"WATTS", "mean power in the latest interval; the bar is the share of all"},
    HelpLine{"ENERGY", "since powertrace started"},
    HelpLine{"CPU%", "100 is one CPU"},
    HelpLine{"[idle]", "what the machine uses when nothing runs"},
    HelpLine{"[kernel]", "kernel threads; [powertrace]: what watching costs"},
    HelpLine{"[earlier]", "rows that ended so long ago that they were folded into one"},
};

}  // namespace

std::vector<Line> help_lines(const TopSetup& setup) {
  std::vector<Line> lines;
  for (const HelpLine& help : kHelp) {
    if (*help.key == '\0') {
      lines.emplace_back().add(fmt::format(" {}", help.text), Style::kStrong);
    } else {
      lines.emplace_back().add(fmt::format("   {:<13}", help.key), Style::kKey).add(help.text);
    }
    if (std::string_view(help.key) == "WATTS") {
      const char* pm = setup.glyphs.plus_minus();
      lines.emplace_back()
          .add(fmt::format("   {}{:<{}}", pm, "W", setup.glyphs.utf8 ? 12 : 11), Style::kKey)
          .add("one standard deviation, the error of the source included");
    }
  }
  return lines;
}

}  // namespace powertrace::top
