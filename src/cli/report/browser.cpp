// SPDX-License-Identifier: Apache-2.0
#include "cli/report/browser.hpp"

#include <algorithm>
#include <utility>

#include "render/figures.hpp"
#include "render/text.hpp"

namespace powertrace::browse {
namespace {

bool contains(std::string_view text, std::string_view part) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [&](char a, char b) { return lower(a) == lower(b); }) != text.end();
}

}  // namespace

using top::Key;
using top::KeyCode;
using top::Size;

Browser::Browser(const Recorded& recorded, Level level, bool functions, top::Glyphs glyphs)
    : recorded_(recorded), glyphs_(glyphs) {
  const Snapshot& snapshot = *recorded.snapshot;
  seconds_ = std::max(static_cast<double>(snapshot.end_ns - snapshot.start_ns) / 1e9, 1e-9);
  all_nj_ = sum_totals(snapshot).energy_nj;
  const report::Timeline& timeline = recorded.timeline;
  power_.resize(timeline.ends_ns.size());
  for (std::size_t zone = 0; zone < timeline.zones.size(); ++zone) {
    for (std::size_t step = 0; snapshot.zones[zone].in_total && step < power_.size(); ++step) {
      power_[step] += timeline.zones[zone][step];
    }
  }
  for (const Level each : {Level::kProcess, Level::kThread, Level::kComm, Level::kCgroup,
                           Level::kContainer, Level::kPod}) {
    tab_ = each == level ? tabs_.size() : tab_;
    tabs_.push_back({std::string(level_name(each)), each});
  }
  if (recorded.profile.meta.sample_hz > 0) {
    tab_ = functions ? tabs_.size() : tab_;
    tabs_.push_back({"symbol", std::nullopt});
  }
  load();
}

void Browser::load() {
  all_.clear();
  rows_.clear();
  functions_.clear();
  if (tabs_[tab_].level) {
    rows_ = roll_up(*recorded_.snapshot, *tabs_[tab_].level);
    sort_rows(rows_, SortKey::kJoules);
    for (const Row& row : rows_) {
      const bool command = row.level == Level::kProcess && row.kind == RowKind::kWorkload &&
                           row.process && !row.process->cmdline.empty();
      const std::string name = command ? row.process->cmdline : row.name;
      const std::string pid = row.tid != 0   ? std::to_string(row.tid)
                              : row.pid != 0 ? std::to_string(row.pid)
                                             : "";
      all_.push_back({(pid.empty() ? "" : pid + "  ") + name, row.name + " " + name + " " + pid,
                      row.energy_nj, 0, row.plus_minus_nj, row.run_ns, all_.size()});
    }
  } else {
    functions_ = report::function_energies(recorded_.profile, false);
    for (const report::FunctionEnergy& row : functions_) {
      all_.push_back({row.name + (row.module.empty() ? "" : "  (" + row.module + ")"),
                      row.name + " " + row.module, row.self_nj, row.total_nj, 0,
                      static_cast<std::uint64_t>(row.run_ns), all_.size()});
    }
  }
  filter();
}

void Browser::filter() {
  entries_.clear();
  for (const Entry& entry : all_) {
    if (filter_.empty() || contains(entry.search, filter_)) {
      entries_.push_back(entry);
    }
  }
  selected_ = first_ = 0;
}

void Browser::move(std::ptrdiff_t by, Size size) {
  const auto last = static_cast<std::ptrdiff_t>(entries_.size()) - 1;
  const auto at = std::clamp<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(selected_) + by, 0,
                                             std::max<std::ptrdiff_t>(last, 0));
  selected_ = static_cast<std::size_t>(at);
  first_ = first_shown(size);
}

void Browser::scroll(std::ptrdiff_t by, Size size) {
  const std::size_t lines = detail(size.columns).size();
  const std::size_t last = lines - std::min(lines, page(size));
  const auto at = std::clamp<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(detail_first_) + by, 0,
                                             static_cast<std::ptrdiff_t>(last));
  detail_first_ = static_cast<std::size_t>(at);
}

bool Browser::press_filter(const Key& key) {
  switch (key.code) {
    case KeyCode::kEnter:
      typing_ = false;
      return true;
    case KeyCode::kEscape:
      typing_ = false;
      filter_.clear();
      break;
    case KeyCode::kBackspace:
      while (!filter_.empty() && (static_cast<unsigned char>(filter_.back()) & 0xC0U) == 0x80U) {
        filter_.pop_back();
      }
      if (!filter_.empty()) {
        filter_.pop_back();
      }
      break;
    case KeyCode::kCharacter:
      append_char(filter_, key.character);
      break;
    default:
      return true;
  }
  filter();
  return true;
}

bool Browser::press(const Key& key, Size size) {
  if (typing_) {
    return press_filter(key);
  }
  const auto page_rows = static_cast<std::ptrdiff_t>(page(size));
  const auto go = [&](std::ptrdiff_t by) {
    if (detail_open_) {
      scroll(by, size);
    } else {
      move(by, size);
    }
  };
  const char32_t character = key.code == KeyCode::kCharacter ? key.character : 0;
  if (character == 'q') {
    return false;
  }
  if (key.code == KeyCode::kUp || character == 'k') {
    go(-1);
  } else if (key.code == KeyCode::kDown || character == 'j') {
    go(1);
  } else if (key.code == KeyCode::kPageUp) {
    go(-page_rows);
  } else if (key.code == KeyCode::kPageDown || character == ' ') {
    go(page_rows);
  } else if (key.code == KeyCode::kHome) {
    go(-1'000'000'000);
  } else if (key.code == KeyCode::kEnd) {
    go(1'000'000'000);
  } else if (detail_open_) {
    detail_open_ = key.code != KeyCode::kEscape && key.code != KeyCode::kLeft &&
                   key.code != KeyCode::kEnter && key.code != KeyCode::kBackspace;
  } else if ((key.code == KeyCode::kEnter || key.code == KeyCode::kRight) && !entries_.empty()) {
    detail_open_ = true;
    detail_first_ = 0;
  } else if (key.code == KeyCode::kTab || key.code == KeyCode::kBackTab) {
    tab_ = (tab_ + (key.code == KeyCode::kTab ? 1 : tabs_.size() - 1)) % tabs_.size();
    load();
  } else if (character >= '1' && character < '1' + tabs_.size()) {
    tab_ = character - '1';
    load();
  } else if (character == '/') {
    typing_ = true;
  } else if (key.code == KeyCode::kEscape && !filter_.empty()) {
    filter_.clear();
    filter();
  }
  return true;
}

}  // namespace powertrace::browse
