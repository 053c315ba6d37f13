// SPDX-License-Identifier: Apache-2.0
//
// What a view is made of: lines of styled text, measured in terminal columns, and the characters
// they are drawn with. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace powertrace::top {

// What a piece of text means; screen/ decides how that looks with and without colours.
enum class Style : std::uint8_t {
  kNormal,
  kDim,
  kStrong,
  kLabel,
  kEstimate,  // figures that nobody measured: must catch the eye
  kGood,
  kWarning,
  kBad,
  kHeading,     // the table's head
  kSortedHead,  // the column of the head that it is sorted by
  kSelected,
  kTab,
  kActiveTab,
  kKey,
  kBranch,
  kHeat0,  // power, from little ...
  kHeat1,
  kHeat2,
  kHeat3,
  kHeat4,
  kHeat5,  // ... to much
};
constexpr std::size_t kStyles = 21;
constexpr int kHeats = 6;

// `part` of the whole, 0 to 1.
Style heat(double part);

struct Span {
  std::string text;
  Style style = Style::kNormal;
};

class Line {
 public:
  Line& add(std::string_view text, Style style = Style::kNormal);
  // Blanks up to `column`, or nothing if the line is there already.
  Line& pad_to(std::size_t column, Style style = Style::kNormal);
  // Drops what is behind `columns`.
  void cut(std::size_t columns);
  // One style for all of it.
  void restyle(Style style);
  [[nodiscard]] std::size_t columns() const { return columns_; }
  [[nodiscard]] const std::vector<Span>& spans() const { return spans_; }

 private:
  std::vector<Span> spans_;
  std::size_t columns_ = 0;
};

struct Size {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

struct Cursor {
  std::size_t column = 0;
  std::size_t row = 0;
};

struct Frame {
  std::vector<Line> lines;       // Size::rows of them, each at most Size::columns wide
  std::optional<Cursor> cursor;  // shown where text is typed
};

// The characters beyond ASCII, and what stands for them where the locale has only ASCII.
struct Glyphs {
  bool utf8 = true;
  [[nodiscard]] const char* plus_minus() const { return utf8 ? "±" : "+-"; }
  [[nodiscard]] const char* down() const { return utf8 ? "▼" : "v"; }
  [[nodiscard]] const char* up() const { return utf8 ? "▲" : "^"; }
  [[nodiscard]] const char* rule() const { return utf8 ? "─" : "-"; }
  [[nodiscard]] const char* axis() const { return utf8 ? "┤" : "|"; }
  [[nodiscard]] const char* cut() const { return utf8 ? "…" : "~"; }
  // Vertical eighths of a cell, 0 to 8.
  [[nodiscard]] const char* eighth(int level) const;
  // Horizontal eighths of a cell, 0 to 8.
  [[nodiscard]] const char* bar(int level) const;
  // The branches of TopRow.
  [[nodiscard]] std::string branches(std::string_view plain) const;
  // Other people's text, harmless and in the locale's characters.
  [[nodiscard]] std::string text(std::string_view from_outside) const;
};

// A bar of at most `columns` cells.
std::string bar_text(const Glyphs& glyphs, double part, std::size_t columns);

// A graph of the latest values, the newest at the right edge, one column each, from 0 to `scale`.
// `lines` gets `height` lines, each from its present width on.
void draw_graph(const Glyphs& glyphs,
                const std::vector<double>& values,
                double scale,
                std::size_t columns,
                std::vector<Line>& lines);

// The next of 1, 2, 5, 10, 20, ... that is not below `value`; also fractions of one.
double round_scale(double value);

}  // namespace powertrace::top
