// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "cli/top/view_parts.hpp"
#include "render/figures.hpp"
#include "render/text.hpp"

namespace powertrace::top {
namespace {

// One column of the table as laid out for a screen. The bar belongs to kWatts.
struct Cell {
  Column column = Column::kCommand;
  std::size_t width = 0;
  bool right = true;
};

std::size_t bar_columns(std::size_t columns) {
  return columns >= 140 ? 16 : columns >= 100 ? 10 : columns >= 76 ? 5 : 0;
}

std::vector<Cell> lay_out(const View& view) {
  const std::size_t columns = view.size.columns;
  const Level level = view.model.level();
  const bool one_process = level == Level::kProcess || level == Level::kThread;
  std::vector<Cell> cells;
  std::size_t used = 0;
  const auto add = [&](bool wanted, Column column, std::size_t width, bool right = true) {
    if (wanted) {
      cells.push_back({column, width, right});
      used += width + 1;
    }
  };
  add(one_process && columns >= 30, Column::kPid, 7);
  add(one_process && columns >= 100, Column::kUser, 9, false);
  const std::size_t bar = bar_columns(columns);
  add(true, Column::kWatts, 6 + (bar > 0 ? bar + 1 : 0));
  add(columns >= 60, Column::kPlusMinus, 6);
  add(columns >= 50, Column::kEnergy, 9);
  add(columns >= 36, Column::kCpu, 6);
  add(columns >= 70, Column::kShare, 5);
  add(columns >= 100 && view.snapshot.instructions_on, Column::kIpc, 5);
  add(columns >= 110 && level != Level::kThread, Column::kTasks, 5);
  const std::size_t rest = columns > used + 1 ? columns - used : 1;
  const bool group = columns >= 120 && level != Level::kCgroup;
  // The longer of the two is usually the command.
  const std::size_t group_width = group ? rest * 2 / 5 : 0;
  cells.push_back({Column::kCommand, rest - (group ? group_width + 1 : 0), false});
  if (group) {
    cells.push_back({Column::kGroup, group_width, false});
  }
  return cells;
}

// "/usr/bin/cc -c a.c" as "cc -c a.c": the directory says little and takes the room; the detail has
// it. A space in the path of the program cuts less, never more.
std::string_view without_directory(std::string_view cmdline) {
  const std::size_t slash = cmdline.substr(0, cmdline.find(' ')).rfind('/');
  return slash == std::string_view::npos ? cmdline : cmdline.substr(slash + 1);
}

std::string command_text(const View& view, const TopRow& top_row) {
  const Row& row = top_row.row;
  const Glyphs& glyphs = view.setup.glyphs;
  std::string name = glyphs.text(row.name);
  if (row.kind == RowKind::kWorkload && row.level == Level::kProcess && row.process &&
      !row.process->cmdline.empty()) {
    name = glyphs.text(without_directory(row.process->cmdline));
  } else if (row.level == Level::kCgroup && top_row.depth > 0) {
    name = glyphs.text(row.name.substr(row.name.rfind('/') + 1));
  }
  std::string folds = top_row.collapsed ? "+ " : "";
  return glyphs.branches(top_row.branches) + (top_row.depth > 0 ? " " : "") + folds + name;
}

std::string group_text(const Row& row) {
  if (row.container && row.level != Level::kContainer) {
    return row.container->runtime + ":" + row.container->id.substr(0, 12);
  }
  return row.cgroup ? row.cgroup->path : "";
}

std::string user_text(const View& view, const Row& row) {
  if (!row.process || row.kind != RowKind::kWorkload) {
    return "";
  }
  const auto found = view.setup.users.find(row.process->uid);
  return found != view.setup.users.end() ? view.setup.glyphs.text(found->second)
                                         : std::to_string(row.process->uid);
}

// The figures of a row over its interval.
struct Figures {
  double seconds = 1;
  double total_nj = 0;
  double share = 0;
};

std::string figure_text(const View& view, const TopRow& top_row, Column column, const Figures& f) {
  const Row& row = top_row.row;
  const auto watts = [&](double nj) { return format_watts(nj / 1e9 / f.seconds); };
  switch (column) {
    case Column::kPid:
      return row.tid != 0 ? std::to_string(row.tid) : row.pid != 0 ? std::to_string(row.pid) : "";
    case Column::kUser:
      return user_text(view, row);
    case Column::kWatts:
      return watts(static_cast<double>(row.energy_nj));
    case Column::kPlusMinus:
      return watts(row.plus_minus_nj);
    case Column::kEnergy:
      return energy_text(top_row.total_nj);
    case Column::kCpu:
      return fmt::format("{:.1f}", static_cast<double>(row.run_ns) / 1e7 / f.seconds);
    case Column::kShare:
      return fmt::format("{:.1f}", f.share * 100);
    case Column::kIpc:
      return row.cycles > 0 ? fmt::format("{:.2f}", row.instructions / row.cycles) : "-";
    case Column::kTasks:
      return row.tasks > 0 ? std::to_string(row.tasks) : "";
    case Column::kCommand:
      return command_text(view, top_row);
    case Column::kGroup:
      break;
  }
  return view.setup.glyphs.text(group_text(row));
}

// The end of a path tells more than its beginning.
std::string cut_path(const View& view, const std::string& path, std::size_t width) {
  if (path.empty() || path[0] != '/' || text_columns(path) <= width || width < 2) {
    return path;
  }
  return view.setup.glyphs.cut() + cut_columns_front(path, width - 1);
}

void add_cell(Line& line, const Cell& cell, const std::string& text, Style style) {
  Line part;
  part.add(text, style);
  part.cut(cell.width);
  const std::size_t begin = line.columns();
  if (cell.right) {
    line.pad_to(begin + cell.width - part.columns());
  }
  for (const Span& span : part.spans()) {
    line.add(span.text, span.style);
  }
  line.pad_to(begin + cell.width);
}

Line row_line(const View& view,
              const std::vector<Cell>& cells,
              const TopRow& top_row,
              const Figures& f) {
  const bool faded = !top_row.ran || top_row.row.terminated;
  const bool remainder = top_row.row.kind != RowKind::kWorkload;
  Line line;
  for (const Cell& cell : cells) {
    line.add(line.columns() > 0 ? " " : "");
    std::string text = figure_text(view, top_row, cell.column, f);
    if (cell.column == Column::kGroup || top_row.row.level == Level::kCgroup) {
      text = cut_path(view, text, cell.width);
    }
    Style style = faded ? Style::kDim : Style::kNormal;
    if (cell.column == Column::kWatts) {
      const std::size_t bar = bar_columns(view.size.columns);
      const Style power = faded ? Style::kDim : heat(f.share);
      add_cell(line, {Column::kWatts, 6, true}, text, power);
      if (bar > 0) {
        line.add(" ").add(bar_text(view.setup.glyphs, f.share, bar), power);
      }
      continue;
    }
    if (cell.column == Column::kCommand) {
      style = faded ? Style::kDim : remainder ? Style::kLabel : Style::kNormal;
      const std::string_view ended = " (ended)";
      const std::size_t room = top_row.row.terminated && cell.width > 3 * ended.size()
                                   ? cell.width - ended.size()
                                   : cell.width;
      Line name;
      name.add(text, style).cut(room);
      if (room < cell.width) {
        name.add(ended, Style::kDim);
      }
      const std::size_t begin = line.columns();
      for (const Span& span : name.spans()) {
        line.add(span.text, span.style);
      }
      line.pad_to(begin + cell.width);
      continue;
    }
    add_cell(line, cell, text, style);
  }
  return line;
}

Line head_line(const View& view, const std::vector<Cell>& cells) {
  const TopModel& model = view.model;
  Line line;
  for (const Cell& cell : cells) {
    line.add(line.columns() > 0 ? " " : "", Style::kHeading);
    const bool sorted = cell.column == model.sort();
    std::string title = cell.column == Column::kPlusMinus
                            ? std::string(view.setup.glyphs.plus_minus()) + "W"
                            : column_title(cell.column, model.level());
    if (sorted) {
      title += model.reverse() ? view.setup.glyphs.up() : view.setup.glyphs.down();
    }
    const std::size_t begin = line.columns();
    Cell part = cell;
    if (cell.column == Column::kWatts) {
      part.width = 6;
    }
    const Style style = sorted ? Style::kSortedHead : Style::kHeading;
    Line text;
    text.add(title, style).cut(part.width);
    if (part.right) {
      line.pad_to(begin + part.width - text.columns(), Style::kHeading);
    }
    for (const Span& span : text.spans()) {
      line.add(span.text, span.style);
    }
    line.pad_to(begin + cell.width, Style::kHeading);
  }
  return std::move(line.pad_to(view.size.columns, Style::kHeading));
}

}  // namespace

std::string column_title(Column column, Level level) {
  switch (column) {
    case Column::kPid:
      return level == Level::kThread ? "TID" : "PID";
    case Column::kUser:
      return "USER";
    case Column::kWatts:
      return "WATTS";
    case Column::kPlusMinus:
      return "+-W";
    case Column::kEnergy:
      return "ENERGY";
    case Column::kCpu:
      return "CPU%";
    case Column::kShare:
      return "SHR%";
    case Column::kIpc:
      return "IPC";
    case Column::kTasks:
      return "TASKS";
    case Column::kGroup:
      return level == Level::kContainer ? "CGROUP" : "CGROUP/CONTAINER";
    case Column::kCommand:
      break;
  }
  switch (level) {
    case Level::kCgroup:
      return "CGROUP";
    case Level::kContainer:
      return "CONTAINER";
    case Level::kPod:
      return "POD";
    case Level::kVm:
      return "VM";
    default:
      return "COMMAND";
  }
}

void add_table(const View& view, const Layout& layout, std::vector<Line>& lines) {
  const std::vector<Cell> cells = lay_out(view);
  if (layout.head) {
    lines.push_back(head_line(view, cells));
  }
  const std::vector<TopRow>& rows = view.model.rows();
  Figures figures;
  figures.seconds = interval_seconds(view.snapshot);
  figures.total_nj = static_cast<double>(sum_totals(view.snapshot).energy_nj);
  for (std::size_t i = 0; i < layout.body; ++i) {
    const std::size_t index = view.model.first() + i;
    if (index >= rows.size()) {
      const bool nothing = rows.empty() && i == 0;
      lines.emplace_back().add(nothing ? "  nothing matches; Esc clears the filter" : "",
                               Style::kDim);
      continue;
    }
    figures.share = figures.total_nj > 0
                        ? static_cast<double>(rows[index].row.energy_nj) / figures.total_nj
                        : 0;
    Line line = row_line(view, cells, rows[index], figures);
    if (index == view.model.selected()) {
      line.pad_to(view.size.columns);
      line.restyle(Style::kSelected);
    }
    lines.push_back(std::move(line));
  }
}

}  // namespace powertrace::top
