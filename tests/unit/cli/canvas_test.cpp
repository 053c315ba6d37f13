// SPDX-License-Identifier: Apache-2.0
#include "cli/top/canvas.hpp"

#include <clocale>

#include <doctest/doctest.h>

#include "render/text.hpp"

using namespace powertrace;
using namespace powertrace::top;

TEST_CASE("text: columns of UTF-8") {
  REQUIRE(std::setlocale(LC_CTYPE, "C.UTF-8") != nullptr);
  CHECK(text_columns("abc") == 3);
  CHECK(text_columns("±é") == 2);
  CHECK(text_columns("漢字") == 4);
  CHECK(text_columns("e\xcc\x81") == 1);  // a combining accent
  CHECK(cut_columns("漢字", 3) == "漢");
  CHECK(cut_columns("漢字", 0).empty());
  CHECK(cut_columns("abc", 9) == "abc");
}

TEST_CASE("text: what a terminal obeys is taken out") {
  CHECK(printable("a\x1b[2Jb\n\t\x7f") == "a?[2Jb???");
  CHECK(printable("\xc2\x9b\x31m") == "?1m");                // C1: CSI in one character
  CHECK(printable("\xe2\x80\xaegpj") == "?gpj");             // right-to-left override
  CHECK(printable("\xff\xc0\xaf\xed\xa0\x80") == "??????");  // not UTF-8
  CHECK(printable("\xe6\xbc") == "??");                      // cut in the middle
  CHECK(printable("漢字 é") == "漢字 é");
}

TEST_CASE("text: a character survives the way there and back") {
  for (const char32_t character : {U'a', U'é', U'漢', U'\U0001F600'}) {
    std::string text;
    append_char(text, character);
    std::size_t at = 0;
    CHECK(next_char(text, at) == character);
    CHECK(at == text.size());
  }
}

TEST_CASE("canvas: a cut line keeps its styles and never half a character") {
  REQUIRE(std::setlocale(LC_CTYPE, "C.UTF-8") != nullptr);
  Line line;
  line.add("ab", Style::kStrong).add("漢字", Style::kDim).add("z");
  CHECK(line.columns() == 7);
  line.cut(5);
  CHECK(line.columns() == 4);
  REQUIRE(line.spans().size() == 2);
  CHECK(line.spans()[1].text == "漢");
}

TEST_CASE("canvas: a graph has the newest value at the right, and little is not nothing") {
  REQUIRE(std::setlocale(LC_CTYPE, "C.UTF-8") != nullptr);
  std::vector<Line> lines(2);
  draw_graph(Glyphs{}, {100, 0, 0.001, 5, 10}, 10, 5, lines);
  const auto text = [](const Line& line) {
    std::string all;
    for (const Span& span : line.spans()) {
      all += span.text;
    }
    return all;
  };
  CHECK(text(lines[0]) == "█   █");
  CHECK(text(lines[1]) == "█ ▁██");
}

TEST_CASE("canvas: scales are round and not below the value") {
  CHECK(round_scale(0) == 1);
  CHECK(round_scale(24.9) == doctest::Approx(30));
  CHECK(round_scale(30) == doctest::Approx(30));
  CHECK(round_scale(0.0071) == doctest::Approx(0.008));
  CHECK(round_scale(95) == doctest::Approx(100));
}

TEST_CASE("canvas: bars") {
  CHECK(bar_text(Glyphs{}, 0.5, 4) == "██  ");
  CHECK(bar_text(Glyphs{}, 7, 2) == "██");
  CHECK(bar_text(Glyphs{false}, 0.25, 4) == "|   ");
}
