// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "cli/top/view_parts.hpp"
#include "render/figures.hpp"

namespace powertrace::top {
namespace {

constexpr std::size_t kScaleColumns = 8;  // "  100 W|"

double watts_of(std::int64_t nanojoules, const Snapshot& snapshot) {
  return static_cast<double>(nanojoules) / 1e9 / interval_seconds(snapshot);
}

std::string interval_text(std::uint64_t interval_ns) {
  const double seconds = static_cast<double>(interval_ns) / 1e9;
  return seconds < 1 ? fmt::format("{:.0f} ms", seconds * 1e3) : fmt::format("{:g} s", seconds);
}

// Whole pieces from the left until one does not fit: put first what matters most.
class Pieces {
 public:
  explicit Pieces(std::size_t columns) : columns_(columns) {}
  bool add(std::initializer_list<Span> spans, std::size_t gap = 2) {
    Line piece;
    if (line_.columns() > 0) {
      piece.add(std::string(gap, ' '));
    }
    for (const Span& span : spans) {
      piece.add(span.text, span.style);
    }
    full_ = full_ || line_.columns() + piece.columns() > columns_;
    if (full_) {
      return false;
    }
    for (const Span& span : piece.spans()) {
      line_.add(span.text, span.style);
    }
    return true;
  }
  Line take() { return std::move(line_); }

 private:
  std::size_t columns_;
  bool full_ = false;
  Line line_;
};

Line zone_line(const View& view) {
  const Snapshot& snapshot = view.snapshot;
  Pieces pieces(view.size.columns > 10 ? view.size.columns - 10 : view.size.columns);
  std::size_t shown = 0;
  for (; shown < snapshot.zones.size(); ++shown) {
    const Zone& zone = snapshot.zones[shown];
    const LedgerZone& use = snapshot.zone_use[shown];
    const std::string name = view.setup.glyphs.text(zone.name) + " ";
    bool fits = false;
    if (use.duration_ns == 0) {
      fits = pieces.add(
          {{name, Style::kLabel}, {std::string(zone_status_name(use.status)), Style::kWarning}});
    } else {
      const std::string watts =
          format_watts(static_cast<double>(use.energy_nj) / static_cast<double>(use.duration_ns)) +
          " W";
      fits = zone.in_total
                 ? pieces.add({{name, Style::kLabel}, {watts, Style::kStrong}})
                 : pieces.add({{"(" + name, Style::kLabel}, {watts}, {")", Style::kLabel}});
    }
    if (!fits) {
      break;
    }
  }
  Line line = pieces.take();
  if (shown < snapshot.zones.size()) {
    line.add(fmt::format("  +{} more", snapshot.zones.size() - shown), Style::kDim);
  }
  return line;
}

bool idle_missing(const Snapshot& snapshot) {
  return !snapshot.idle_known && snapshot.idle != IdlePolicy::kNone;
}

Line split_line(const View& view) {
  const Snapshot& snapshot = view.snapshot;
  const Totals totals = sum_totals(snapshot);
  const std::int64_t attributed = totals.energy_nj - totals.idle_nj - totals.unattributed_nj;
  const auto text = [&](std::int64_t nj) { return format_watts(watts_of(nj, snapshot)) + " W"; };
  Pieces pieces(view.size.columns);
  pieces.add({{"attributed ", Style::kLabel}, {text(attributed), Style::kStrong}});
  if (idle_missing(snapshot) && totals.idle_nj == 0) {
    pieces.add({{"idle ", Style::kLabel}, {"not known yet", Style::kWarning}});
  } else {
    pieces.add({{"idle ", Style::kLabel}, {text(totals.idle_nj), Style::kStrong}});
  }
  pieces.add({{"unattributed ", Style::kLabel},
              {text(totals.unattributed_nj),
               totals.unattributed_nj > 0 ? Style::kWarning : Style::kStrong}});
  Line line = pieces.take();
  const std::size_t width = std::min<std::size_t>(
      view.size.columns > line.columns() + 4 ? view.size.columns - line.columns() - 4 : 0, 60);
  if (width >= 8 && totals.energy_nj > 0) {
    const auto cells = [&](std::int64_t part) {
      return static_cast<std::size_t>(
          std::lround(static_cast<double>(part) / static_cast<double>(totals.energy_nj) *
                      static_cast<double>(width)));
    };
    const std::size_t used = std::min(cells(attributed), width);
    const std::size_t idle = std::min(cells(totals.idle_nj), width - used);
    const bool utf8 = view.setup.glyphs.utf8;
    const auto fill = [&](std::size_t count, const char* block, Style style) {
      for (std::size_t i = 0; i < count; ++i) {
        line.add(block, style);
      }
    };
    line.add("  [", Style::kDim);
    fill(used, utf8 ? "█" : "#", Style::kGood);
    fill(idle, utf8 ? "▒" : ":", Style::kLabel);
    fill(width - used - idle, utf8 ? "░" : ".", Style::kWarning);
    line.add("]", Style::kDim);
  }
  return line;
}

Line self_line(const View& view, const Layout& layout) {
  const Snapshot& snapshot = view.snapshot;
  const SelfCost& self = snapshot.self;
  Pieces pieces(view.size.columns);
  const std::uint64_t slices = view.history.lost_slices();
  const std::uint64_t events = view.history.lost_events();
  if (slices > 0 || events > 0) {
    pieces.add({{fmt::format(" LOST {} slices, {} events ", slices, events), Style::kBad}});
  }
  pieces.add({{"model ", Style::kLabel}, {std::string(model_name(snapshot.model))}});
  pieces.add(
      {{"idle ", Style::kLabel},
       {std::string(idle_policy_name(snapshot.idle))},
       {idle_missing(snapshot) && !layout.split ? " (not known yet)" : "", Style::kWarning}});
  pieces.add({{"cost ", Style::kLabel},
              {fmt::format("{:.2f} % CPU", 100 * self.cpu_seconds / interval_seconds(snapshot))}});
  pieces.add({{format_watts(watts_of(self.energy_nj, snapshot)) + " W"}}, 1);
  if (self.bpf_ns_per_switch > 0) {
    pieces.add({{fmt::format("{:.0f} ns/switch", self.bpf_ns_per_switch)}}, 1);
  }
  if (slices == 0 && events == 0) {
    pieces.add({{"lost ", Style::kLabel}, {"0", Style::kGood}});
  }
  pieces.add({{"memory ", Style::kLabel},
              {fmt::format("{:.0f} MB", static_cast<double>(self.rss_bytes) / 1e6)}});
  if (snapshot.counters_on) {
    pieces.add({{"counter reads ", Style::kLabel}, {fmt::format("{}", self.counter_reads)}});
  }
  return pieces.take();
}

Line tab_line(const View& view) {
  const TopModel& model = view.model;
  Line line;
  if (view.size.columns < 60) {
    line.add(" " + std::string(level_name(model.level())) + " ", Style::kActiveTab);
    line.add(" 1-7 other views", Style::kDim);
  } else {
    for (std::size_t i = 0; i < kLevels; ++i) {
      const auto level = static_cast<Level>(i);
      const bool active = level == model.level();
      line.add(fmt::format(" {} {} ", i + 1, level_name(level)),
               active ? Style::kActiveTab : Style::kTab);
    }
  }
  if (model.tree()) {
    line.add(" tree", Style::kStrong);
  }
  if (model.all()) {
    line.add(" all", Style::kStrong);
  }
  if (!model.filter().empty()) {
    line.add(" filter ", Style::kLabel);
    line.add(view.setup.glyphs.text(model.filter()), Style::kWarning);
  }
  return line;
}

}  // namespace

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::max(seconds, 0.0));
  return fmt::format("{:02}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string energy_text(std::int64_t nanojoules) {
  return format_joules(static_cast<double>(nanojoules) / 1e9);
}

std::string estimate_text(const View& view) {
  const SourceInfo& source = view.snapshot.source;
  return source.measured ? std::string()
                         : fmt::format("ESTIMATE {}{:.0f} %", view.setup.glyphs.plus_minus(),
                                       source.expected_error * 100);
}

Line labelled(std::string_view label, std::string_view text, Style style) {
  Line line;
  line.add(fmt::format(" {:<10}", label), Style::kLabel).add(text, style);
  return line;
}

Line title_line(const View& view) {
  const Snapshot& snapshot = view.snapshot;
  const double watts = watts_of(sum_totals(snapshot).energy_nj, snapshot);
  const std::string estimate = estimate_text(view);
  const std::string source = view.setup.glyphs.text(snapshot.source.name);
  if (view.size.columns < 44) {
    Line line;
    line.add(estimate, Style::kEstimate).add(estimate.empty() ? "" : " ");
    return std::move(line.add(fmt::format("{:.3g}W", watts), Style::kStrong)
                         .add(view.model.paused() ? " PAUSED" : "", Style::kBad));
  }
  Pieces pieces(view.size.columns);
  pieces.add({{format_watts(watts) + " W", Style::kStrong}});
  if (estimate.empty()) {
    pieces.add({{"measured", Style::kGood}, {" by " + source}});
  } else {
    pieces.add({{" " + estimate + " ", Style::kEstimate}, {" " + source}});
  }
  if (view.model.paused()) {
    pieces.add({{" PAUSED ", Style::kBad}});
  }
  Line line = pieces.take();
  Pieces right(view.size.columns - std::min(view.size.columns, line.columns() + 2));
  right.add({{"every ", Style::kLabel}, {interval_text(view.model.interval_ns())}});
  right.add({{energy_text(view.history.energy_nj()), Style::kStrong},
             {" in ", Style::kLabel},
             {duration_text(view.history.seconds())}});
  right.add({{"powertrace", Style::kDim}});
  const Line end = right.take();
  line.pad_to(view.size.columns - end.columns());
  for (const Span& span : end.spans()) {
    line.add(span.text, span.style);
  }
  return line;
}

void add_graph(const View& view,
               const std::vector<double>& values,
               std::size_t height,
               std::vector<Line>& lines) {
  if (height == 0 || view.size.columns < kScaleColumns + 8) {
    return;
  }
  const std::size_t columns = view.size.columns - kScaleColumns;
  const std::size_t shown = std::min(columns, values.size());
  const double most =
      shown == 0
          ? 0
          : *std::max_element(values.end() - static_cast<std::ptrdiff_t>(shown), values.end());
  const double scale = round_scale(most);
  std::vector<Line> graph(height);
  for (std::size_t i = 0; i < height; ++i) {
    const bool labelled_row = i == 0 || (height > 1 && i + 1 == height);
    graph[i].add(labelled_row ? fmt::format("{:>5g} W", i == 0 ? scale : 0.0) : "       ",
                 Style::kDim);
    graph[i].add(view.setup.glyphs.axis(), Style::kDim);
  }
  draw_graph(view.setup.glyphs, values, scale, columns, graph);
  for (Line& line : graph) {
    lines.push_back(std::move(line));
  }
}

void add_header(const View& view, const Layout& layout, std::vector<Line>& lines) {
  lines.push_back(title_line(view));
  if (layout.zones) {
    lines.push_back(zone_line(view));
  }
  if (layout.split) {
    lines.push_back(split_line(view));
  }
  if (layout.self) {
    lines.push_back(self_line(view, layout));
  }
  const std::size_t before = lines.size();
  add_graph(view, view.history.total_watts().latest(view.size.columns), layout.graph, lines);
  lines.resize(before + layout.graph);
  if (layout.tabs) {
    lines.push_back(tab_line(view));
  }
}

}  // namespace powertrace::top
