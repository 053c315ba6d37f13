// SPDX-License-Identifier: Apache-2.0
#include "cli/top/top_model.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "render/text.hpp"

namespace powertrace::top {
namespace {

constexpr std::size_t kLongestFilter = 200;

// What < and > step through.
constexpr std::array kSortOrder{Column::kPid,     Column::kUser, Column::kWatts, Column::kPlusMinus,
                                Column::kEnergy,  Column::kCpu,  Column::kIpc,   Column::kTasks,
                                Column::kCommand, Column::kGroup};

void remove_last_char(std::string& text) {
  while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80U) {
    text.pop_back();
  }
  if (!text.empty()) {
    text.pop_back();
  }
}

}  // namespace

Action TopModel::press(const Key& key, const History& live) {
  message_.clear();
  if (key.code == KeyCode::kRedraw) {
    return Action::kRedraw;
  }
  switch (mode_) {
    case Mode::kTable:
      return press_table(key, live);
    case Mode::kFilter:
      press_filter(key);
      return Action::kNone;
    case Mode::kDetail:
    case Mode::kHelp:
      break;
  }
  const char32_t c = key.code == KeyCode::kCharacter ? key.character : 0;
  if (c == ' ' || c == 'p') {
    toggle_pause(live);
  } else if (c == '+') {
    return Action::kSlower;
  } else if (c == '-') {
    return Action::kFaster;
  } else {
    press_overlay(key);
  }
  return Action::kNone;
}

Action TopModel::press_table(const Key& key, const History& live) {
  const auto page = static_cast<std::int64_t>(page_);
  switch (key.code) {
    case KeyCode::kCharacter:
      return press_character(key.character, live);
    case KeyCode::kUp:
      move(-1);
      break;
    case KeyCode::kDown:
      move(1);
      break;
    case KeyCode::kPageUp:
      move(-page);
      break;
    case KeyCode::kPageDown:
      move(page);
      break;
    case KeyCode::kHome:
      selected_ = 0;
      selected_key_.clear();
      break;
    case KeyCode::kEnd:
      select(rows_.empty() ? 0 : rows_.size() - 1);
      break;
    case KeyCode::kLeft:
      fold(true);
      break;
    case KeyCode::kRight:
      fold(false);
      break;
    case KeyCode::kEnter:
      if (selected_ < rows_.size()) {
        detail_key_ = rows_[selected_].key;
        scroll_ = 0;
        mode_ = Mode::kDetail;
      }
      break;
    case KeyCode::kEscape:
      filter_.clear();
      break;
    case KeyCode::kTab:
      set_level(static_cast<Level>((static_cast<std::size_t>(level_) + 1) % kLevels));
      break;
    case KeyCode::kBackTab:
      set_level(static_cast<Level>((static_cast<std::size_t>(level_) + kLevels - 1) % kLevels));
      break;
    case KeyCode::kHelp:
      scroll_ = 0;
      mode_ = Mode::kHelp;
      break;
    default:
      break;
  }
  return Action::kNone;
}

Action TopModel::press_character(char32_t character, const History& live) {
  if (character >= '1' && character <= '7') {
    set_level(static_cast<Level>(character - '1'));
    return Action::kNone;
  }
  switch (character) {
    case 'q':
    case 'Q':
      return Action::kQuit;
    case '+':
      return Action::kSlower;
    case '-':
      return Action::kFaster;
    case 'j':
      move(1);
      break;
    case 'k':
      move(-1);
      break;
    case 'g':
      return press_table({KeyCode::kHome, 0}, live);
    case 'G':
      return press_table({KeyCode::kEnd, 0}, live);
    case '?':
    case 'h':
      return press_table({KeyCode::kHelp, 0}, live);
    case '/':
      mode_ = Mode::kFilter;
      break;
    case 's':
    case '>':
    case '.':
      step_sort(1);
      break;
    case '<':
    case ',':
      step_sort(-1);
      break;
    case 'W':
      set_sort(Column::kWatts);
      break;
    case 'E':
      set_sort(Column::kEnergy);
      break;
    case 'C':
      set_sort(Column::kCpu);
      break;
    case 'N':
      set_sort(Column::kCommand);
      break;
    case 'P':
      set_sort(Column::kPid);
      break;
    case 'r':
      reverse_ = !reverse_;
      break;
    case 't':
      if (has_tree(level_)) {
        tree_ = !tree_;
      } else {
        say("only processes (1) and cgroups (4) make a tree");
      }
      break;
    case 'i':
      all_ = !all_;
      say(all_ ? "all rows since the start, also those that did not run just now"
               : "only rows that ran in the latest interval");
      break;
    case 'p':
    case ' ':
      toggle_pause(live);
      break;
    default:
      break;
  }
  return Action::kNone;
}

void TopModel::press_filter(const Key& key) {
  switch (key.code) {
    case KeyCode::kCharacter:
      if (key.character >= 0x20 && key.character != 0x7F && filter_.size() < kLongestFilter) {
        append_char(filter_, key.character);
      }
      break;
    case KeyCode::kBackspace:
      remove_last_char(filter_);
      break;
    case KeyCode::kEnter:
      mode_ = Mode::kTable;
      break;
    case KeyCode::kEscape:
      filter_.clear();
      mode_ = Mode::kTable;
      break;
    case KeyCode::kUp:
      move(-1);
      break;
    case KeyCode::kDown:
      move(1);
      break;
    default:
      break;
  }
}

// Help and detail scroll; anything else leaves them.
void TopModel::press_overlay(const Key& key) {
  const char32_t c = key.code == KeyCode::kCharacter ? key.character : 0;
  if (key.code == KeyCode::kUp || c == 'k') {
    scroll_ -= scroll_ > 0 ? 1 : 0;
  } else if (key.code == KeyCode::kDown || c == 'j') {
    ++scroll_;
  } else if (key.code == KeyCode::kPageUp || key.code == KeyCode::kHome) {
    scroll_ = 0;
  } else if (key.code == KeyCode::kPageDown) {
    scroll_ += page_;
  } else if (mode_ == Mode::kDetail && (key.code == KeyCode::kHelp || c == '?' || c == 'h')) {
    scroll_ = 0;
    mode_ = Mode::kHelp;
  } else if (key.code != KeyCode::kOther) {
    mode_ = Mode::kTable;
  }
}

void TopModel::move(std::int64_t by) {
  if (rows_.empty()) {
    return;
  }
  const auto last = static_cast<std::int64_t>(rows_.size()) - 1;
  select(static_cast<std::size_t>(
      std::clamp<std::int64_t>(static_cast<std::int64_t>(selected_) + by, 0, last)));
}

void TopModel::select(std::size_t index) {
  selected_ = index;
  selected_key_ = index < rows_.size() ? rows_[index].key : std::string();
}

void TopModel::set_level(Level level) {
  if (level != level_) {
    level_ = level;
    selected_ = 0;
    first_ = 0;
    selected_key_.clear();
  }
}

void TopModel::set_sort(Column column) {
  reverse_ = sort_ == column && !reverse_;
  sort_ = column;
}

void TopModel::step_sort(int by) {
  const auto at = std::find(kSortOrder.begin(), kSortOrder.end(), sort_);
  const auto index = at == kSortOrder.end() ? 0 : at - kSortOrder.begin();
  const auto count = static_cast<std::ptrdiff_t>(kSortOrder.size());
  sort_ = kSortOrder[static_cast<std::size_t>((index + by + count) % count)];
  reverse_ = false;
}

void TopModel::fold(bool collapse) {
  if (!tree() || selected_ >= rows_.size()) {
    return;
  }
  if (collapse && rows_[selected_].has_children) {
    collapsed_.insert(rows_[selected_].key);
  } else {
    collapsed_.erase(rows_[selected_].key);
  }
}

void TopModel::toggle_pause(const History& live) {
  if (paused_) {
    paused_ = nullptr;
  } else {
    paused_ = std::make_unique<const History>(live);
  }
}

void TopModel::prepare(const History& live, const TopSetup& setup, std::size_t page) {
  page_ = std::max<std::size_t>(page, 1);
  RowQuery query;
  query.level = level_;
  query.sort = sort_;
  query.reverse = reverse_;
  query.tree = tree_;
  query.all = all_;
  query.filter = filter_;
  query.collapsed = &collapsed_;
  query.find_process = setup.find_process;
  rows_ = build_rows(shown(live), query);
  if (rows_.empty()) {
    selected_ = 0;
    first_ = 0;
    return;
  }
  if (selected_key_.empty()) {
    selected_ = 0;
  } else {
    const auto found = std::find_if(rows_.begin(), rows_.end(),
                                    [this](const TopRow& row) { return row.key == selected_key_; });
    // A row that is gone leaves the cursor where it was.
    selected_ = found != rows_.end() ? static_cast<std::size_t>(found - rows_.begin())
                                     : std::min(selected_, rows_.size() - 1);
  }
  if (selected_ < first_) {
    first_ = selected_;
  } else if (selected_ >= first_ + page_) {
    first_ = selected_ - page_ + 1;
  }
  first_ = std::min(first_, rows_.size() > page_ ? rows_.size() - page_ : 0);
}

}  // namespace powertrace::top
