// SPDX-License-Identifier: Apache-2.0
#include "cli/top/top_view.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "cli/top/view_parts.hpp"

namespace powertrace::top {
namespace {

struct Hint {
  const char* key;
  const char* text;
};
constexpr std::array kTableHints{
    Hint{"?", "help"},      Hint{"/", "filter"},     Hint{"<>", "sort"},
    Hint{"t", "tree"},      Hint{"Enter", "detail"}, Hint{"p", "pause"},
    Hint{"+-", "interval"}, Hint{"i", "all"},        Hint{"q", "quit"}};
constexpr std::array kOverlayHints{Hint{"Esc", "back"}, Hint{"up down", "scroll"},
                                   Hint{"p", "pause"}};

template <std::size_t N>
Line hint_line(const std::array<Hint, N>& hints, std::size_t columns) {
  Line line;
  for (const Hint& hint : hints) {
    Line next = line;
    next.add(next.columns() > 0 ? "  " : " ").add(hint.key, Style::kKey);
    next.add(std::string(" ") + hint.text);
    if (next.columns() > columns) {
      break;
    }
    line = std::move(next);
  }
  return line;
}

Line footer_line(const View& view) {
  const TopModel& model = view.model;
  if (!model.message().empty()) {
    Line line;
    return std::move(line.add(" " + view.setup.glyphs.text(model.message()), Style::kWarning));
  }
  if (model.mode() == Mode::kHelp || model.mode() == Mode::kDetail) {
    return hint_line(kOverlayHints, view.size.columns);
  }
  if (model.rows().empty()) {
    return hint_line(kTableHints, view.size.columns);
  }
  const std::string place = fmt::format("{}/{}", model.selected() + 1, model.rows().size());
  Line line =
      hint_line(kTableHints, view.size.columns - std::min(view.size.columns, place.size() + 2));
  if (line.columns() + place.size() < view.size.columns) {
    line.pad_to(view.size.columns - place.size()).add(place, Style::kDim);
  }
  return line;
}

void add_scrolled(std::vector<Line> body,
                  std::size_t scroll,
                  std::size_t room,
                  std::vector<Line>& lines) {
  const std::size_t first = body.size() > room ? std::min(scroll, body.size() - room) : 0;
  for (std::size_t i = first; i < std::min(body.size(), first + room); ++i) {
    lines.push_back(std::move(body[i]));
  }
}

Frame first_frame(Size size) {
  Frame frame;
  frame.lines.resize(size.rows);
  if (size.rows > 0) {
    frame.lines[0].add("measuring the first interval ...", Style::kDim).cut(size.columns);
  }
  return frame;
}

}  // namespace

Layout plan_layout(Size size) {
  const std::size_t rows = size.rows;
  Layout layout;
  layout.zones = rows >= 12;
  layout.self = rows >= 14;
  layout.split = rows >= 18;
  layout.graph = rows >= 50 ? 8 : rows >= 36 ? 5 : rows >= 24 ? 2 : rows >= 20 ? 1 : 0;
  layout.tabs = rows >= 8;
  layout.footer = rows >= 8;
  layout.head = rows >= 4;
  const std::size_t above = 1U + (layout.zones ? 1U : 0U) + (layout.self ? 1U : 0U) +
                            (layout.split ? 1U : 0U) + layout.graph + (layout.tabs ? 1U : 0U) +
                            (layout.head ? 1U : 0U) + (layout.footer ? 1U : 0U);
  layout.body = rows > above ? rows - above : 0;
  return layout;
}

std::size_t table_rows(Size size) {
  return plan_layout(size).body;
}

Frame render(const TopModel& model, const History& live, const TopSetup& setup, Size size) {
  const History& history = model.shown(live);
  if (!history.latest()) {
    return first_frame(size);
  }
  const View view{model, history, *history.latest(), setup, size};
  const Layout layout = plan_layout(size);
  Frame frame;
  std::vector<Line>& lines = frame.lines;
  const std::size_t end = layout.footer ? size.rows - 1 : size.rows;
  if (model.mode() == Mode::kHelp || model.mode() == Mode::kDetail) {
    lines.push_back(title_line(view));
    add_scrolled(model.mode() == Mode::kHelp ? help_lines(setup) : detail_lines(view),
                 model.scroll(), end > 1 ? end - 1 : 0, lines);
  } else {
    add_header(view, layout, lines);
    add_table(view, layout, lines);
  }
  lines.resize(end);
  if (layout.footer) {
    lines.push_back(footer_line(view));
  }
  if (model.mode() == Mode::kFilter && size.rows > 0) {
    // What is typed must be seen, also where there is no room for a footer.
    Line typed;
    typed.add(" /", Style::kKey).add(setup.glyphs.text(model.filter()), Style::kStrong);
    frame.cursor = Cursor{std::min(typed.columns(), size.columns - 1), size.rows - 1};
    lines.back() = std::move(typed.add("   Enter keeps it, Esc clears it", Style::kDim));
  }
  for (Line& line : lines) {
    line.cut(size.columns);
  }
  return frame;
}

}  // namespace powertrace::top
