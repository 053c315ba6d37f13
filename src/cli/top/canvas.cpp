// SPDX-License-Identifier: Apache-2.0
#include "cli/top/canvas.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "render/text.hpp"

namespace powertrace::top {

Style heat(double part) {
  const int step = std::clamp(static_cast<int>(part * kHeats), 0, kHeats - 1);
  return static_cast<Style>(static_cast<int>(Style::kHeat0) + step);
}

Line& Line::add(std::string_view text, Style style) {
  if (text.empty()) {
    return *this;
  }
  columns_ += text_columns(text);
  if (!spans_.empty() && spans_.back().style == style) {
    spans_.back().text += text;
  } else {
    spans_.push_back({std::string(text), style});
  }
  return *this;
}

Line& Line::pad_to(std::size_t column, Style style) {
  return column > columns_ ? add(std::string(column - columns_, ' '), style) : *this;
}

void Line::cut(std::size_t columns) {
  if (columns_ <= columns) {
    return;
  }
  std::vector<Span> spans = std::move(spans_);
  spans_.clear();
  columns_ = 0;
  for (const Span& span : spans) {
    add(cut_columns(span.text, columns - columns_), span.style);
    if (text_columns(span.text) > columns - columns_) {
      break;
    }
  }
}

void Line::restyle(Style style) {
  std::string all;
  for (const Span& span : spans_) {
    all += span.text;
  }
  spans_ = {{std::move(all), style}};
}

const char* Glyphs::eighth(int level) const {
  static constexpr std::array<const char*, 9> kBlocks{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  static constexpr std::array<const char*, 9> kAscii{" ", ".", ".", ":", "-", "=", "+", "*", "#"};
  return (utf8 ? kBlocks : kAscii).at(static_cast<std::size_t>(std::clamp(level, 0, 8)));
}

const char* Glyphs::bar(int level) const {
  static constexpr std::array<const char*, 9> kBlocks{" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
  static constexpr std::array<const char*, 9> kAscii{" ", " ", " ", " ", "|", "|", "|", "|", "|"};
  return (utf8 ? kBlocks : kAscii).at(static_cast<std::size_t>(std::clamp(level, 0, 8)));
}

std::string Glyphs::branches(std::string_view plain) const {
  if (!utf8) {
    return std::string(plain);
  }
  std::string out;
  for (const char c : plain) {
    switch (c) {
      case '|':
        out += "│";
        break;
      case '+':
        out += "├";
        break;
      case '`':
        out += "└";
        break;
      case '-':
        out += "─";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string Glyphs::text(std::string_view from_outside) const {
  std::string safe = printable(from_outside);
  if (utf8) {
    return safe;
  }
  std::string out;
  for (std::size_t at = 0; at < safe.size();) {
    const char32_t character = next_char(safe, at);
    out += character < 0x80 ? static_cast<char>(character) : '?';
  }
  return out;
}

std::string bar_text(const Glyphs& glyphs, double part, std::size_t columns) {
  auto eighths =
      static_cast<int>(std::lround(std::clamp(part, 0.0, 1.0) * static_cast<double>(columns) * 8));
  std::string out;
  for (std::size_t i = 0; i < columns; ++i, eighths -= 8) {
    out += glyphs.bar(eighths);
  }
  return out;
}

void draw_graph(const Glyphs& glyphs,
                const std::vector<double>& values,
                double scale,
                std::size_t columns,
                std::vector<Line>& lines) {
  const auto height = static_cast<int>(lines.size());
  const std::size_t shown = std::min(columns, values.size());
  for (int row = 0; row < height; ++row) {
    Line& line = lines[static_cast<std::size_t>(row)];
    line.pad_to(line.columns() + columns - shown);
    for (std::size_t i = values.size() - shown; i < values.size(); ++i) {
      const double part = scale > 0 ? std::clamp(values[i] / scale, 0.0, 1.0) : 0;
      int eighths = static_cast<int>(std::lround(part * 8 * height));
      if (values[i] > 0 && eighths == 0) {
        eighths = 1;  // little is not nothing
      }
      line.add(glyphs.eighth(eighths - 8 * (height - 1 - row)), heat(part));
    }
  }
}

double round_scale(double value) {
  if (!(value > 0)) {
    return 1;
  }
  const double power = std::pow(10.0, std::floor(std::log10(value)));
  for (const double step : {1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0}) {
    if (value <= power * step * (1 + 1e-9)) {
      return power * step;
    }
  }
  return power * 10;
}

}  // namespace powertrace::top
