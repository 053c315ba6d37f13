// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "cli/top/view_parts.hpp"
#include "render/figures.hpp"
#include "render/text.hpp"

namespace powertrace::top {
namespace {

constexpr std::size_t kLabelColumns = 11;

// A long text over as many lines as it takes.
void add_wrapped(const View& view,
                 std::string_view label,
                 const std::string& text,
                 std::vector<Line>& lines) {
  std::string rest = view.setup.glyphs.text(text);
  const std::size_t room =
      std::max<std::size_t>(view.size.columns, kLabelColumns + 10) - kLabelColumns - 1;
  do {
    const std::string part = cut_columns(rest, room);
    lines.push_back(labelled(label, part));
    rest.erase(0, part.size());
    label = "";
  } while (!rest.empty());
}

void add_power(const View& view, const Track& track, std::vector<Line>& lines) {
  const bool ran = track.ran_in(view.history.interval());
  const double seconds = interval_seconds(view.snapshot);
  const double watts = ran ? static_cast<double>(track.row.energy_nj) / 1e9 / seconds : 0;
  const double life = static_cast<double>(view.snapshot.end_ns - track.first_seen_ns) / 1e9;
  const double average = life > 0 ? static_cast<double>(track.energy_nj) / 1e9 / life : 0;
  const double least = ran ? track.least_watts : 0;
  Line power = labelled("power", format_watts(watts) + " W", Style::kStrong);
  power.add(fmt::format(" {}{}", view.setup.glyphs.plus_minus(),
                        format_watts(ran ? track.row.plus_minus_nj / 1e9 / seconds : 0)));
  power.add("   least ", Style::kLabel).add(format_watts(least));
  power.add("  average ", Style::kLabel).add(format_watts(average));
  power.add("  most ", Style::kLabel).add(format_watts(track.most_watts));
  lines.push_back(std::move(power));
  const std::size_t height = view.size.rows >= 40 ? 8 : view.size.rows >= 20 ? 4 : 2;
  add_graph(view, view.history.watts_of(track, kTrackPoints), height, lines);
  Line energy = labelled("energy", energy_text(track.energy_nj), Style::kStrong);
  energy.add("   in ", Style::kLabel).add(duration_text(life));
  if (view.history.energy_nj() > 0) {
    energy.add("   share since start ", Style::kLabel)
        .add(fmt::format("{:.1f} %", 100 * static_cast<double>(track.energy_nj) /
                                         static_cast<double>(view.history.energy_nj())));
  }
  lines.push_back(std::move(energy));
}

void add_zones(const View& view, const Track& track, std::vector<Line>& lines) {
  Line line;
  for (std::size_t i = 0; i < std::min(track.zone_nj.size(), view.snapshot.zones.size()); ++i) {
    const Zone& zone = view.snapshot.zones[i];
    Line piece;
    piece.add(view.setup.glyphs.text(zone.name) + " ", Style::kLabel);
    piece.add(energy_text(track.zone_nj[i])).add(zone.in_total ? "  " : " (not added)  ");
    if (line.columns() > 0 && line.columns() + piece.columns() > view.size.columns) {
      lines.push_back(std::move(line));
      line = Line();
    }
    if (line.columns() == 0) {
      line = labelled(lines.empty() || i == 0 ? "zones" : "", "");
    }
    for (const Span& span : piece.spans()) {
      line.add(span.text, span.style);
    }
  }
  if (line.columns() > 0) {
    lines.push_back(std::move(line));
  }
}

void add_activity(const View& view, const Track& track, std::vector<Line>& lines) {
  const Row& row = track.row;
  if (!track.ran_in(view.history.interval())) {
    const double ago = static_cast<double>(view.snapshot.end_ns - track.last_seen_ns) / 1e9;
    lines.push_back(labelled("activity", fmt::format("last ran {} ago", duration_text(ago))));
    return;
  }
  const double seconds = interval_seconds(view.snapshot);
  Line line = labelled(
      "activity", fmt::format("{:.1f} % CPU", static_cast<double>(row.run_ns) / 1e7 / seconds));
  line.add(fmt::format("   {} task{}", row.tasks, row.tasks == 1 ? "" : "s"));
  line.add(fmt::format("   {:.0f} switches/s", static_cast<double>(row.switches) / seconds));
  if (view.snapshot.counters_on && row.run_ns > 0 && row.cycles > 0) {
    line.add(fmt::format("   {:.2f} GHz", row.cycles / static_cast<double>(row.run_ns)));
    if (view.snapshot.instructions_on) {
      line.add(fmt::format("   IPC {:.2f}", row.instructions / row.cycles));
    }
    line.add(fmt::format("   {:.0f} % counted", 100 * static_cast<double>(row.counted_ns) /
                                                    static_cast<double>(row.run_ns)));
  }
  lines.push_back(std::move(line));
}

std::string or_unknown(const std::string& text) {
  return text.empty() ? "unknown" : text;
}

void add_names(const View& view, const Row& row, std::vector<Line>& lines) {
  if (row.process && row.pid != 0) {
    const ProcessIdentity& process = *row.process;
    const auto user = view.setup.users.find(process.uid);
    lines.push_back(labelled(
        "user", user == view.setup.users.end()
                    ? std::to_string(process.uid)
                    : fmt::format("{} ({})", view.setup.glyphs.text(user->second), process.uid)));
    lines.push_back(labelled("parent", std::to_string(process.parent_pid)));
  }
  if (row.process) {
    add_wrapped(view, "exe", or_unknown(row.process->exe), lines);
    add_wrapped(view, "command", or_unknown(row.process->cmdline), lines);
  }
  if (row.cgroup) {
    add_wrapped(view, "cgroup", row.cgroup->path, lines);
  }
  if (row.container) {
    const std::string name = row.container->name.empty() ? "" : row.container->name + " ";
    add_wrapped(view, "container", name + row.container->runtime + " " + row.container->id, lines);
    if (!row.container->pod_uid.empty()) {
      add_wrapped(view, "pod", row.container->pod_uid, lines);
    }
  }
  if (row.pod && !row.pod->name.empty()) {
    add_wrapped(view, "pod name", row.pod->name_space + "/" + row.pod->name, lines);
  }
  if (row.pod && !row.pod->owner_name.empty()) {
    add_wrapped(view, "owner", row.pod->owner_kind + "/" + row.pod->owner_name, lines);
  }
  if (row.vm) {
    add_wrapped(view, "vm", row.vm->name + " " + row.vm->id, lines);
  }
}

}  // namespace

std::vector<Line> detail_lines(const View& view) {
  std::vector<Line> lines;
  const Tracks& tracks = view.history.tracks(view.model.level());
  const auto found = tracks.find(view.model.detail_key());
  if (found == tracks.end()) {
    lines.emplace_back().add(" It ran so long ago that powertrace has folded it into [earlier].",
                             Style::kDim);
    return lines;
  }
  const Track& track = found->second;
  const Row& row = track.row;
  Line head;
  head.add(fmt::format(" {} ", level_name(row.level)), Style::kActiveTab).add(" ");
  head.add(view.setup.glyphs.text(row.name), Style::kStrong);
  if (row.pid != 0) {
    head.add("   pid ", Style::kLabel).add(std::to_string(row.pid));
  }
  if (row.tid != 0) {
    head.add("   tid ", Style::kLabel).add(std::to_string(row.tid));
  }
  if (row.terminated) {
    head.add("   ended", Style::kWarning);
  }
  lines.push_back(std::move(head));
  lines.emplace_back();
  add_power(view, track, lines);
  add_zones(view, track, lines);
  add_activity(view, track, lines);
  lines.emplace_back();
  add_names(view, row, lines);
  return lines;
}

}  // namespace powertrace::top
