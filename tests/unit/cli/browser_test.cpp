// SPDX-License-Identifier: Apache-2.0
#include "cli/report/browser.hpp"

#include <doctest/doctest.h>

#include "scene.hpp"

using namespace powertrace;
using powertrace::test::Proc;
using powertrace::test::Scene;
using top::KeyCode;
using top::Size;
using top::Style;

namespace {

constexpr Size kScreen{80, 24};

// 40 processes: "worker 100 --task" has the most energy. `functions`: with a caller and its callee.
browse::Recorded recorded(bool functions = false) {
  browse::Recorded result;
  result.file = "a.data";
  std::vector<Proc> procs;
  for (std::uint32_t i = 0; i < 40; ++i) {
    const std::string comm = i % 2 == 0 ? "worker" : "Größe";
    procs.push_back({100 + i, 1, comm, comm + " " + std::to_string(100 + i) + " --task", 80.0 - i});
  }
  result.snapshot = Scene().next(procs);
  result.timeline.ends_ns = {1, 2};
  result.timeline.zones.assign(result.snapshot->zones.size(), {1'000'000, 2'000'000});
  if (functions) {
    report::Profile& profile = result.profile;
    profile.meta.sample_hz = 99;
    const SnapshotTask& task = result.snapshot->tasks.front();
    report::Subject subject;
    subject.task = task.task;
    subject.tgid = task.use.tgid;
    profile.subjects = {subject};
    profile.functions = {{"outer", "program", "", 0}, {"inner", "program", "", 0}};
    profile.stacks = {{0}, {0, 1}};
    profile.cells = {{0, 0, 1, 1'000'000'000, 10}, {0, 1, 3, 3'000'000'000, 30}};
  }
  return result;
}

class Screen {
 public:
  explicit Screen(browse::Recorded recorded, bool functions = false)
      : recorded_(std::move(recorded)),
        browser_(recorded_, Level::kProcess, functions, top::Glyphs()) {}

  bool press(KeyCode code, int times = 1) {
    bool stays = true;
    for (int i = 0; i < times; ++i) {
      stays = browser_.press({code, 0}, size);
    }
    return stays;
  }
  bool type(std::u32string_view text) {
    bool stays = true;
    for (const char32_t character : text) {
      stays = browser_.press({KeyCode::kCharacter, character}, size);
    }
    return stays;
  }
  // Of the whole screen, or of what has a style.
  [[nodiscard]] std::string text(std::optional<Style> style = std::nullopt) const {
    std::string text;
    for (const top::Line& line : browser_.render(size).lines) {
      for (const top::Span& span : line.spans()) {
        text += !style || span.style == *style ? span.text : "";
      }
      text += '\n';
    }
    return text;
  }
  [[nodiscard]] bool shows(std::string_view part) const {
    return text().find(part) != std::string::npos;
  }
  [[nodiscard]] bool selects(std::string_view part) const {
    return text(Style::kSelected).find(part) != std::string::npos;
  }

  Size size = kScreen;

 private:
  browse::Recorded recorded_;
  browse::Browser browser_;
};

}  // namespace

TEST_CASE(
    "browser: the selected row is always on the screen, and there is no way beyond the ends") {
  Screen screen(recorded());
  CHECK(screen.selects("worker 100"));
  screen.press(KeyCode::kUp);
  CHECK(screen.selects("worker 100"));
  screen.press(KeyCode::kDown, 2);
  CHECK(screen.selects("worker 102"));
  screen.type(U"k");
  CHECK(screen.selects(" 101 "));
  CHECK_FALSE(screen.shows("worker 138"));
  screen.press(KeyCode::kPageDown, 50);
  const std::string last = screen.text(Style::kSelected);
  screen.press(KeyCode::kDown);
  CHECK(screen.text(Style::kSelected) == last);
  screen.press(KeyCode::kUp);
  CHECK(screen.text(Style::kSelected) != last);
  screen.press(KeyCode::kHome);
  CHECK(screen.selects("worker 100"));
  for (int i = 0; i < 45; ++i) {
    screen.type(U"j");
    CHECK(screen.text(Style::kSelected).find_first_not_of('\n') != std::string::npos);
  }
  screen.size = {80, 9};
  CHECK(screen.text(Style::kSelected).find_first_not_of('\n') != std::string::npos);
  screen.size = {1, 1};
  CHECK(screen.text().size() <= 10);
}

TEST_CASE("browser: a filter finds letters of either case, and can be taken back") {
  Screen screen(recorded());
  screen.type(U"/GRö");
  CHECK(screen.shows("101"));
  CHECK_FALSE(screen.shows("worker"));
  screen.press(KeyCode::kBackspace, 3);
  CHECK(screen.shows("worker"));
  CHECK(screen.type(U"worker 13q"));  // a q here is a letter
  CHECK_FALSE(screen.selects("worker"));
  screen.press(KeyCode::kEnter);
  screen.press(KeyCode::kEnter);  // nothing to open
  CHECK(screen.shows("Enter details"));
  screen.type(U"/");
  screen.press(KeyCode::kBackspace);
  CHECK(screen.selects("worker 130"));
  screen.press(KeyCode::kEnter);
  CHECK(screen.shows("filter"));
  screen.press(KeyCode::kEscape);
  CHECK(screen.selects("worker 100"));
  CHECK_FALSE(screen.type(U"q"));
}

TEST_CASE("browser: levels by number and in turn") {
  Screen screen(recorded());
  CHECK(screen.text(Style::kActiveTab).find("process") != std::string::npos);
  screen.type(U"3");
  CHECK(screen.text(Style::kActiveTab).find("comm") != std::string::npos);
  screen.press(KeyCode::kTab, 5);
  CHECK(screen.text(Style::kActiveTab).find("thread") != std::string::npos);
  screen.press(KeyCode::kBackTab, 2);
  CHECK(screen.text(Style::kActiveTab).find("pod") != std::string::npos);
  screen.type(U"7");  // without samples there are no functions
  CHECK(screen.text(Style::kActiveTab).find("pod") != std::string::npos);
}

TEST_CASE("browser: details scroll no further than they go") {
  Screen screen(recorded());
  screen.press(KeyCode::kEnter);
  CHECK(screen.shows("CPU time"));
  const std::string begin = screen.text();
  screen.size = {80, 8};
  const std::string small = screen.text();
  screen.press(KeyCode::kEnd);
  CHECK(screen.text() != small);
  const std::string end = screen.text();
  screen.press(KeyCode::kPageDown, 20);
  CHECK(screen.text() == end);
  screen.press(KeyCode::kUp);
  CHECK(screen.text() != end);
  screen.press(KeyCode::kPageUp, 20);
  CHECK(screen.text() == small);
  screen.size = kScreen;
  CHECK(screen.text() == begin);
  screen.press(KeyCode::kEscape);
  CHECK(screen.selects("worker 100"));
}

TEST_CASE("browser: functions, and who called them") {
  Screen screen(recorded(true), true);
  CHECK(screen.selects("inner"));
  screen.press(KeyCode::kEnter);
  CHECK(screen.shows("called by"));
  CHECK(screen.shows("outer"));
  screen.press(KeyCode::kLeft);
  screen.press(KeyCode::kDown);
  CHECK(screen.selects("outer"));
  CHECK(screen.selects("4.000000"));  // with what it called
}
