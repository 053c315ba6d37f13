// SPDX-License-Identifier: Apache-2.0
//
// Screens against tests/golden/top. POWERTRACE_UPDATE_GOLDEN=1 writes them anew; read the diff.
#include "cli/top/top_view.hpp"

#include <clocale>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <doctest/doctest.h>

#include "render/text.hpp"
#include "scene.hpp"

using namespace powertrace;
using namespace powertrace::top;
using powertrace::test::Proc;
using powertrace::test::Scene;

namespace {

constexpr Size kSmall{80, 24};

std::string text_of(const Line& line) {
  std::string text;
  for (const Span& span : line.spans()) {
    text += span.text;
  }
  return text;
}

std::string text_of(const Frame& frame) {
  std::string text;
  for (const Line& line : frame.lines) {
    std::string one = text_of(line);
    one.erase(one.find_last_not_of(' ') + 1);
    text += one + "\n";
  }
  return text;
}

// A letter per column: what has which meaning, whatever colours a terminal has.
std::string styles_of(const Frame& frame) {
  std::string text;
  for (const Line& line : frame.lines) {
    for (const Span& span : line.spans()) {
      const char letter = span.style == Style::kNormal
                              ? '.'
                              : static_cast<char>('a' + static_cast<int>(span.style));
      text.append(text_columns(span.text), letter);
    }
    text += '\n';
  }
  return text;
}

void check_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(POWERTRACE_GOLDEN_DIR) + "/top/" + name + ".txt";
  if (std::getenv("POWERTRACE_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << text;
  }
  std::ifstream file(path);
  REQUIRE_MESSAGE(file.good(), path);
  std::stringstream want;
  want << file.rdbuf();
  CAPTURE(name);
  CHECK(text == want.str());
}

void check_fits(const Frame& frame, Size size) {
  CHECK(frame.lines.size() == size.rows);
  for (const Line& line : frame.lines) {
    CHECK(line.columns() <= size.columns);
    CHECK(text_columns(text_of(line)) == line.columns());
  }
}

struct Stage {
  Scene scene;
  History history;
  TopSetup setup;
  TopModel model{Level::kProcess, Column::kWatts, "", 1'000'000'000};

  Stage() {
    REQUIRE(std::setlocale(LC_CTYPE, "C.UTF-8") != nullptr);
    setup.users = {{0, "root"}, {1000, "ada"}};
  }
  void play(int intervals = 12) {
    const auto web =
        test::cgroup(7, "/system.slice/docker-0123456789abcdef.scope",
                     "0123456789abcdef0123456789abcdef", "5f1e1c1e-0001-4c4c-8d8d-000000000001");
    const auto build = test::cgroup(8, "/user.slice/build");
    for (int i = 0; i < intervals; ++i) {
      const double wave = (i * 7 % 12) / 2.0;
      std::vector<Proc> procs{
          {100, 1, "make", "/usr/bin/make -j8 all", 0.25, build},
          {101, 100, "cc1plus", "/usr/lib/gcc/x86_64-linux-gnu/12/cc1plus -quiet -O2 src/a.cpp",
           9.5 + wave, build},
          {102, 100, "cc1plus", "/usr/lib/gcc/x86_64-linux-gnu/12/cc1plus -quiet -O2 src/b.cpp",
           8.25, build},
          {200, 1, "nginx", "nginx: worker process", 1.5, web},
          {201, 1, "漢字漢字",
           "/opt/漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字 --run", 0.75},
          {202, 1, "evil\x1b[2J", "evil\x1b[2J\x07 \xc2\x9b\x31m \xff \xe2\x80\xae", 0.5},
          {300, 2, "kworker/0:1", "", 0.125, nullptr, false, true},
          {999, 1, "powertrace", "powertrace top", 0.0625}};
      if (i + 1 == intervals) {
        procs.push_back({103, 100, "as", "as -o a.o", 0.375, build, true});
      }
      history.add(scene.next(procs));
    }
  }
  void press(KeyCode code, char32_t character = 0) {
    model.prepare(history, setup, 15);
    model.press({code, character}, history);
    model.prepare(history, setup, 15);
  }
  void type(const std::string& text) {
    for (const char c : text) {
      press(KeyCode::kCharacter, static_cast<char32_t>(c));
    }
  }
  Frame frame(Size size = kSmall) {
    model.prepare(history, setup, table_rows(size));
    Frame result = render(model, history, setup, size);
    check_fits(result, size);
    return result;
  }
};

}  // namespace

TEST_CASE("top view: 80x24") {
  Stage stage;
  stage.play();
  const Frame frame = stage.frame();
  check_golden("table-80x24", text_of(frame));
  check_golden("table-80x24-styles", styles_of(frame));
}

TEST_CASE("top view: 200x60, measured, with counters") {
  Stage stage;
  stage.scene.measured = true;
  stage.scene.counters = true;
  stage.play(40);
  check_golden("table-200x60", text_of(stage.frame({200, 60})));
}

TEST_CASE("top view: 40x10 and 20x5") {
  Stage stage;
  stage.play();
  check_golden("table-40x10", text_of(stage.frame({40, 10})));
  check_golden("table-20x5", text_of(stage.frame({20, 5})));
}

TEST_CASE("top view: a terminal without UTF-8 gets ASCII alone") {
  Stage stage;
  stage.setup.glyphs.utf8 = false;
  stage.play();
  const std::string text = text_of(stage.frame());
  check_golden("table-ascii-80x24", text);
  for (const char c : text) {
    REQUIRE(static_cast<unsigned char>(c) < 0x80);
  }
  stage.press(KeyCode::kEnter);
  for (const char c : text_of(stage.frame())) {
    REQUIRE(static_cast<unsigned char>(c) < 0x80);
  }
}

TEST_CASE("top view: tree, filter, other levels") {
  Stage stage;
  stage.play();
  stage.type("t");
  check_golden("tree-80x24", text_of(stage.frame()));
  stage.type("t/cc1");
  const Frame frame = stage.frame();
  check_golden("filter-80x24", text_of(frame));
  REQUIRE(frame.cursor);
  CHECK(frame.cursor->row == 23);
  CHECK(frame.cursor->column == 5);
  stage.press(KeyCode::kEscape);
  stage.type("5");
  check_golden("container-80x24", text_of(stage.frame()));
  stage.type("4t");
  check_golden("cgroup-tree-80x24", text_of(stage.frame()));
}

TEST_CASE("top view: detail and help") {
  Stage stage;
  stage.play();
  stage.press(KeyCode::kEnter);
  check_golden("detail-80x24", text_of(stage.frame()));
  stage.press(KeyCode::kEscape);
  stage.type("?");
  check_golden("help-80x24", text_of(stage.frame()));
}

TEST_CASE("top view: losses and a pause catch the eye") {
  Stage stage;
  stage.scene.lost_slices = 12;
  stage.scene.idle_known = false;
  stage.scene.idle_watts = 0;
  stage.play(1);
  stage.type("p");
  check_golden("lost-80x24", text_of(stage.frame()));
}

TEST_CASE("top view: whatever the size and the mode, it fits and an estimate is called one") {
  Stage stage;
  stage.play(3);
  for (const char* keys : {"", "t", "/漢", "i"}) {
    for (const KeyCode mode : {KeyCode::kEscape, KeyCode::kEnter, KeyCode::kHelp}) {
      stage.press(KeyCode::kEscape);
      stage.type(keys);
      stage.press(mode);
      for (std::size_t columns = 1; columns <= 230; columns += columns < 30 ? 1 : 7) {
        for (std::size_t rows = 1; rows <= 70; rows += rows < 26 ? 1 : 5) {
          const Frame frame = stage.frame({columns, rows});
          if (columns >= 20 && rows >= 2) {
            CAPTURE(columns);
            CAPTURE(rows);
            REQUIRE(text_of(frame.lines[0]).find("ESTIMATE ±66 %") != std::string::npos);
          }
        }
      }
      stage.press(KeyCode::kEscape);
    }
  }
}

TEST_CASE("top view: nothing that a terminal obeys gets through") {
  Stage stage;
  stage.play();
  for (const char* keys : {"", "2", "3", "1t"}) {
    stage.type(keys);
    for (const Size size : {kSmall, Size{200, 60}}) {
      for (const Line& line : stage.frame(size).lines) {
        for (const Span& span : line.spans()) {
          CHECK(printable(span.text) == span.text);
        }
      }
    }
  }
}

TEST_CASE("top view: before the first interval it says what it waits for") {
  Stage stage;
  CHECK(text_of(stage.frame()).find("first interval") != std::string::npos);
}
