// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "cli/report/browser.hpp"
#include "render/figures.hpp"
#include "render/text.hpp"

namespace powertrace::browse {
namespace {

using top::Frame;
using top::Line;
using top::Size;
using top::Style;

constexpr std::size_t kScaleColumns = 8;
constexpr std::size_t kShares = 200;

std::size_t timeline_height(Size size) {
  return size.rows >= 40 ? 5 : size.rows >= 20 ? 3 : size.rows >= 12 ? 1 : 0;
}

std::string joules(std::int64_t energy_nj) {
  return format_joules(static_cast<double>(energy_nj) / 1e9);
}

}  // namespace

std::size_t Browser::page(Size size) const {
  // Title, timeline and its axis, tabs, head, footer.
  const std::size_t graph = timeline_height(size);
  const std::size_t others = 4 + graph + (graph > 0 ? 1 : 0);
  return size.rows > others ? size.rows - others : 1;
}

std::size_t Browser::first_shown(Size size) const {
  const std::size_t below = selected_ + 1 - std::min(selected_ + 1, page(size));
  return std::clamp(first_, below, selected_);
}

Line Browser::title(Size size) const {
  const Snapshot& snapshot = *recorded_.snapshot;
  Line line;
  line.add(glyphs_.text(recorded_.file), Style::kStrong)
      .add(fmt::format("  {} in {:.1f} s, {} W  ", joules(all_nj_), seconds_,
                       format_watts(static_cast<double>(all_nj_) / 1e9 / seconds_)))
      .add(fmt::format("model {}  idle {}  ", model_name(snapshot.model),
                       idle_policy_name(snapshot.idle)),
           Style::kLabel);
  if (!snapshot.source.measured) {
    line.add(fmt::format(" ESTIMATE {}{:.0f} % ", glyphs_.plus_minus(),
                         snapshot.source.expected_error * 100),
             Style::kEstimate);
  } else {
    line.add("measured by " + snapshot.source.name, Style::kGood);
  }
  line.cut(size.columns);
  return line;
}

// Mean power in each column, from the begin to the end.
void Browser::add_graph(const std::vector<std::int64_t>& energies,
                        std::size_t columns,
                        std::size_t height,
                        std::vector<Line>& lines) const {
  const std::vector<std::uint64_t>& ends_ns = recorded_.timeline.ends_ns;
  const std::size_t width = columns > kScaleColumns + 1 ? columns - kScaleColumns - 1 : 1;
  if (ends_ns.empty() || height == 0) {
    return;
  }
  const std::size_t points = std::min(width, ends_ns.size());
  std::vector<double> watts;
  for (std::size_t point = 0; point < points; ++point) {
    const std::size_t from = point * ends_ns.size() / points;
    const std::size_t to = (point + 1) * ends_ns.size() / points;
    const std::uint64_t begin_ns = from == 0 ? recorded_.timeline.start_ns : ends_ns[from - 1];
    double energy = 0;
    for (std::size_t step = from; step < to; ++step) {
      energy += static_cast<double>(energies[step]);
    }
    const double mean =
        energy / static_cast<double>(std::max<std::uint64_t>(ends_ns[to - 1] - begin_ns, 1));
    for (std::size_t at = point * width / points; at < (point + 1) * width / points; ++at) {
      watts.push_back(mean);
    }
  }
  const double scale = top::round_scale(*std::max_element(watts.begin(), watts.end()));
  std::vector<Line> graph(height);
  for (std::size_t row = 0; row < height; ++row) {
    const std::string label = row == 0 ? format_watts(scale) + " W" : "";
    graph[row].pad_to(kScaleColumns - 1 - std::min(label.size(), kScaleColumns - 1));
    graph[row].add(label, Style::kDim).pad_to(kScaleColumns).add(glyphs_.axis(), Style::kDim);
  }
  top::draw_graph(glyphs_, watts, scale, width, graph);
  lines.insert(lines.end(), graph.begin(), graph.end());
  const std::string end = fmt::format("{:.1f} s", seconds_);
  Line axis;
  axis.pad_to(kScaleColumns).add("0", Style::kDim);
  axis.pad_to(columns > end.size() ? columns - end.size() : 0).add(end, Style::kDim);
  lines.push_back(std::move(axis));
}

void Browser::add_table(Size size, std::vector<Line>& lines) const {
  const bool functions = !tabs_[tab_].level;
  const bool wide = size.columns >= 70;
  const std::size_t bar = size.columns >= 100 ? 12 : 0;
  Line head;
  head.add(fmt::format("{:>12}", functions ? "SELF J" : "JOULES"), Style::kSortedHead)
      .add(fmt::format("{:>9}{:>7}", "WATTS", "SHARE"), Style::kHeading);
  if (wide) {
    head.add(fmt::format("{:>12}", functions ? "TOTAL J" : "CPU s"), Style::kHeading);
  }
  head.pad_to(head.columns() + bar + (bar > 0 ? 1 : 0), Style::kHeading)
      .add(functions ? "  FUNCTION" : "  NAME", Style::kHeading)
      .pad_to(size.columns, Style::kHeading);
  lines.push_back(std::move(head));
  const auto all = static_cast<double>(std::max<std::int64_t>(all_nj_, 1));
  const std::size_t first = first_shown(size);
  for (std::size_t i = first; i < std::min(entries_.size(), first + page(size)); ++i) {
    const Entry& entry = entries_[i];
    const double part = static_cast<double>(entry.energy_nj) / all;
    const double energy = static_cast<double>(entry.energy_nj) / 1e9;
    Line line;
    line.add(fmt::format("{:>12.6f}", energy))
        .add(fmt::format("{:>9}{:>6.1f}%", format_watts(energy / seconds_), part * 100),
             top::heat(part * 2));
    if (wide) {
      line.add(functions ? fmt::format("{:>12.6f}", static_cast<double>(entry.total_nj) / 1e9)
                         : fmt::format("{:>12.3f}", static_cast<double>(entry.run_ns) / 1e9));
    }
    if (bar > 0) {
      const std::size_t column = line.columns() + bar + 1;
      line.add(" ").add(top::bar_text(glyphs_, part, bar), top::heat(part * 2)).pad_to(column);
    }
    line.add("  ").add(glyphs_.text(entry.name));
    line.cut(size.columns);
    if (i == selected_) {
      line.pad_to(size.columns).restyle(Style::kSelected);
    }
    lines.push_back(std::move(line));
  }
}

// What a row consists of, the largest first.
void Browser::add_shares(const char* heading,
                         std::vector<std::pair<std::string, std::int64_t>> shares,
                         std::vector<Line>& lines) const {
  std::sort(shares.begin(), shares.end(), [](const auto& a, const auto& b) {
    return std::pair(-a.second, a.first) < std::pair(-b.second, b.first);
  });
  shares.resize(std::min(shares.size(), kShares));
  lines.emplace_back();
  lines.emplace_back().add(heading, Style::kLabel);
  for (const auto& [name, energy_nj] : shares) {
    const double part =
        static_cast<double>(energy_nj) / static_cast<double>(std::max<std::int64_t>(all_nj_, 1));
    lines.emplace_back()
        .add(fmt::format("{:>12.6f} J", static_cast<double>(energy_nj) / 1e9))
        .add(fmt::format("{:>7.1f}%  ", part * 100), top::heat(part * 2))
        .add(glyphs_.text(name));
  }
  if (shares.empty()) {
    lines.emplace_back().add("             nothing was sampled there", Style::kDim);
  }
}

std::vector<Line> Browser::row_detail(const Row& row, std::size_t columns) const {
  std::vector<Line> lines;
  const auto add = [&](std::string_view label, const std::string& text) {
    if (!text.empty()) {
      lines.emplace_back().add(fmt::format("{:<11}", label), Style::kLabel).add(glyphs_.text(text));
    }
  };
  add("name", row.name);
  add("energy", fmt::format("{} {} {}, {} W, {:.1f} % of all", joules(row.energy_nj),
                            glyphs_.utf8 ? "±" : "+-", format_joules(row.plus_minus_nj / 1e9),
                            format_watts(static_cast<double>(row.energy_nj) / 1e9 / seconds_),
                            100 * static_cast<double>(row.energy_nj) /
                                static_cast<double>(std::max<std::int64_t>(all_nj_, 1))));
  add("CPU time", fmt::format("{:.3f} s", static_cast<double>(row.run_ns) / 1e9));
  if (row.process) {
    add("pid", std::to_string(row.pid) + (row.terminated ? " (ended)" : ""));
    add("program", row.process->exe);
    add("command", row.process->cmdline);
  }
  add("cgroup", row.cgroup ? row.cgroup->path : "");
  add("container", row.container ? row.container->id : "");
  if (!row.process || row.kind != RowKind::kWorkload) {
    return lines;
  }
  const auto& processes = recorded_.timeline.processes;
  if (const auto at = processes.find(row.process->task); at != processes.end()) {
    lines.emplace_back();
    lines.emplace_back().add("power over time", Style::kLabel);
    add_graph(at->second.energies(recorded_.timeline.ends_ns.size()), columns, 4, lines);
  }
  const report::Profile& profile = recorded_.profile;
  if (profile.meta.sample_hz > 0) {
    std::map<std::size_t, std::int64_t> by_function;
    for (const report::StackEnergy& cell : profile.cells) {
      const report::Subject& subject = profile.subjects[cell.subject];
      if (subject.process->identity->task == row.process->task &&
          (row.level != Level::kThread || subject.task.pid == row.tid)) {
        by_function[profile.stacks[cell.stack].back()] += cell.energy_nj;
      }
    }
    std::vector<std::pair<std::string, std::int64_t>> shares;
    for (const auto& [function, energy_nj] : by_function) {
      shares.emplace_back(profile.functions[function].name, energy_nj);
    }
    add_shares("functions, by their own energy", std::move(shares), lines);
  }
  return lines;
}

std::vector<Line> Browser::function_detail(const report::FunctionEnergy& row) const {
  std::vector<Line> lines;
  const auto add = [&](std::string_view label, const std::string& text) {
    lines.emplace_back().add(fmt::format("{:<11}", label), Style::kLabel).add(glyphs_.text(text));
  };
  add("function", row.name);
  add("module", row.module);
  add("itself", fmt::format("{} in {} samples", joules(row.self_nj), row.samples));
  add("with calls", joules(row.total_nj));
  const report::Profile& profile = recorded_.profile;
  std::map<std::string, std::int64_t> callers;
  std::map<std::string, std::int64_t> callees;
  for (const report::StackEnergy& cell : profile.cells) {
    const std::vector<std::size_t>& stack = profile.stacks[cell.stack];
    // The innermost call, so that recursion counts once.
    for (std::size_t i = stack.size(); i-- > 0;) {
      const report::Function& function = profile.functions[stack[i]];
      if (function.name != row.name || function.module != row.module) {
        continue;
      }
      callers[i > 0 ? profile.functions[stack[i - 1]].name : "[nobody known]"] += cell.energy_nj;
      if (i + 1 < stack.size()) {
        callees[profile.functions[stack[i + 1]].name] += cell.energy_nj;
      }
      break;
    }
  }
  add_shares("called by", {callers.begin(), callers.end()}, lines);
  add_shares("calls", {callees.begin(), callees.end()}, lines);
  return lines;
}

std::vector<Line> Browser::detail(std::size_t columns) const {
  const Entry& entry = entries_[selected_];
  return tabs_[tab_].level ? row_detail(rows_[entry.source], columns)
                           : function_detail(functions_[entry.source]);
}

Frame Browser::render(Size size) const {
  Frame frame;
  std::vector<Line>& lines = frame.lines;
  lines.push_back(title(size));
  add_graph(power_, size.columns, timeline_height(size), lines);
  Line tabs;
  for (std::size_t i = 0; i < tabs_.size(); ++i) {
    tabs.add(fmt::format(" {} {} ", i + 1, tabs_[i].name),
             i == tab_ ? Style::kActiveTab : Style::kTab);
  }
  lines.push_back(std::move(tabs));
  if (detail_open_ && selected_ < entries_.size()) {
    std::vector<Line> shown = detail(size.columns);
    const std::size_t first = std::min(detail_first_, shown.empty() ? 0 : shown.size() - 1);
    lines.insert(lines.end(),
                 std::make_move_iterator(shown.begin() + static_cast<std::ptrdiff_t>(first)),
                 std::make_move_iterator(shown.end()));
  } else {
    add_table(size, lines);
  }
  lines.resize(size.rows > 0 ? size.rows - 1 : 0);
  Line footer;
  if (typing_) {
    footer.add(" /", Style::kKey).add(glyphs_.text(filter_));
    frame.cursor = top::Cursor{footer.columns(), size.rows - 1};
  } else {
    footer.add(detail_open_ ? " Esc back  arrows scroll  q quit"
                            : " Enter details  Tab next level  / filter  q quit",
               Style::kKey);
    if (!filter_.empty()) {
      footer.add("  filter ", Style::kLabel).add(glyphs_.text(filter_));
    }
  }
  lines.push_back(std::move(footer));
  for (Line& line : lines) {
    line.cut(size.columns);
  }
  return frame;
}

}  // namespace powertrace::browse
