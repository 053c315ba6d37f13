// SPDX-License-Identifier: Apache-2.0
//
// What the user of the interactive screen has chosen, and what their keys change. Knows no
// terminal: keys come in, an Action goes out. The UI thread's only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cli/top/canvas.hpp"
#include "cli/top/history.hpp"
#include "cli/top/rows.hpp"

namespace powertrace::top {

enum class KeyCode : std::uint8_t {
  kCharacter,
  kUp,
  kDown,
  kLeft,
  kRight,
  kPageUp,
  kPageDown,
  kHome,
  kEnd,
  kEnter,
  kEscape,
  kBackspace,
  kTab,
  kBackTab,
  kHelp,
  kRedraw,
  kOther,
};

struct Key {
  KeyCode code = KeyCode::kCharacter;
  char32_t character = 0;
};

enum class Action : std::uint8_t { kNone, kQuit, kFaster, kSlower, kRedraw };
enum class Mode : std::uint8_t { kTable, kFilter, kDetail, kHelp };

// What never changes while the screen is up.
struct TopSetup {
  Glyphs glyphs;
  std::map<std::uint32_t, std::string> users;  // names by uid
  std::function<std::shared_ptr<const ProcessIdentity>(std::uint32_t pid)> find_process;
};

class TopModel {
 public:
  TopModel(Level level, Column sort, std::string filter, std::uint64_t interval_ns)
      : level_(level), sort_(sort), filter_(std::move(filter)), interval_ns_(interval_ns) {}

  Action press(const Key& key, const History& live);

  // Builds the rows to show and brings the selection and the scroll position in line with them;
  // `page` rows fit. Called before every rendering.
  void prepare(const History& live, const TopSetup& setup, std::size_t page);

  // What is looked at: the live history, or that of the moment the display was paused.
  [[nodiscard]] const History& shown(const History& live) const {
    return paused_ ? *paused_ : live;
  }

  void set_interval(std::uint64_t interval_ns) { interval_ns_ = interval_ns; }
  // A line for the user until the next key.
  void say(std::string message) { message_ = std::move(message); }

  [[nodiscard]] Mode mode() const { return mode_; }
  [[nodiscard]] Level level() const { return level_; }
  [[nodiscard]] Column sort() const { return sort_; }
  [[nodiscard]] bool reverse() const { return reverse_; }
  [[nodiscard]] bool tree() const { return tree_ && has_tree(level_); }
  [[nodiscard]] bool all() const { return all_; }
  [[nodiscard]] bool paused() const { return paused_ != nullptr; }
  [[nodiscard]] const std::string& filter() const { return filter_; }
  [[nodiscard]] const std::string& message() const { return message_; }
  [[nodiscard]] std::uint64_t interval_ns() const { return interval_ns_; }
  [[nodiscard]] const std::vector<TopRow>& rows() const { return rows_; }
  [[nodiscard]] std::size_t first() const { return first_; }        // row at the top of the page
  [[nodiscard]] std::size_t selected() const { return selected_; }  // index into rows()
  [[nodiscard]] std::size_t scroll() const { return scroll_; }      // of help and detail
  [[nodiscard]] const std::string& detail_key() const { return detail_key_; }

 private:
  Action press_table(const Key& key, const History& live);
  Action press_character(char32_t character, const History& live);
  void press_filter(const Key& key);
  void press_overlay(const Key& key);
  void move(std::int64_t by);
  void select(std::size_t index);
  void set_level(Level level);
  void set_sort(Column column);
  void step_sort(int by);
  void fold(bool collapse);
  void toggle_pause(const History& live);

  Level level_;
  Column sort_;
  bool reverse_ = false;
  bool tree_ = false;
  bool all_ = false;
  Mode mode_ = Mode::kTable;
  std::string filter_;
  std::uint64_t interval_ns_;
  std::unique_ptr<const History> paused_;
  std::string message_;

  std::vector<TopRow> rows_;
  std::set<std::string> collapsed_;
  std::size_t page_ = 1;
  std::size_t first_ = 0;
  std::size_t selected_ = 0;
  std::string selected_key_;  // followed wherever it sorts to; empty: the cursor stays at the top
  std::string detail_key_;
  std::size_t scroll_ = 0;
};

}  // namespace powertrace::top
