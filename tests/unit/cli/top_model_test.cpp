// SPDX-License-Identifier: Apache-2.0
#include "cli/top/top_model.hpp"

#include <doctest/doctest.h>

#include "scene.hpp"
#include "support/units.hpp"

using namespace powertrace;
using namespace powertrace::top;
using powertrace::test::Proc;
using powertrace::test::Scene;

namespace {

using powertrace::test::kSecond;

struct Desk {
  Scene scene;
  History history;
  TopSetup setup;
  TopModel model{Level::kProcess, Column::kWatts, "", kSecond};

  explicit Desk(const std::vector<Proc>& procs) {
    scene.idle_watts = 0.5;
    add(procs);
  }
  void add(const std::vector<Proc>& procs) {
    history.add(scene.next(procs));
    model.prepare(history, setup, 4);
  }
  Action press(KeyCode code) { return press(Key{code, 0}); }
  Action press(char32_t character) { return press(Key{KeyCode::kCharacter, character}); }
  Action press(const Key& key) {
    const Action action = model.press(key, history);
    model.prepare(history, setup, 4);
    return action;
  }
  void type(const std::string& text) {
    for (const char c : text) {
      press(static_cast<char32_t>(c));
    }
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const TopRow& row : model.rows()) {
      names.push_back(row.row.name);
    }
    return names;
  }
  [[nodiscard]] const std::string& selected() const {
    return model.rows().at(model.selected()).row.name;
  }
  [[nodiscard]] const TopRow& row(const std::string& name) const {
    for (const TopRow& row : model.rows()) {
      if (row.row.name == name) {
        return row;
      }
    }
    FAIL("no row " << name);
    return model.rows().front();
  }
};

using Names = std::vector<std::string>;

// make 20 runs 21 and 22; 30 runs alone; 10, the shell of all, sleeps.
const std::vector<Proc> kBuild{{20, 10, "make", "make all", 1},
                               {21, 20, "cc1", "cc1 a.c", 5},
                               {22, 20, "cc1plus", "cc1plus b.cpp", 7},
                               {30, 1, "sshd", "", 2}};

}  // namespace

TEST_CASE("top: rows are sorted by watts, and by what is asked for") {
  Desk desk(kBuild);
  CHECK(desk.names() == Names{"cc1plus", "cc1", "sshd", "make", "[idle]", "[unattributed]"});
  desk.press(U'r');
  CHECK(desk.names() == Names{"[unattributed]", "[idle]", "make", "sshd", "cc1", "cc1plus"});
  desk.press(U'N');
  CHECK(desk.names() == Names{"[idle]", "[unattributed]", "cc1", "cc1plus", "make", "sshd"});
  desk.press(U'N');
  CHECK(desk.names() == Names{"sshd", "make", "cc1plus", "cc1", "[unattributed]", "[idle]"});
  desk.press(U'W');
  CHECK(desk.model.sort() == Column::kWatts);
  desk.press(U'>');
  CHECK(desk.model.sort() == Column::kPlusMinus);
  desk.press(U'<');
  desk.press(U'<');
  CHECK(desk.model.sort() == Column::kUser);
}

TEST_CASE("top: sorting by energy counts since the start") {
  Desk desk({{10, 1, "was", "", 9}, {11, 1, "is", "", 1}});
  desk.add({{10, 1, "was", "", 1}, {11, 1, "is", "", 2}});
  CHECK(desk.names().front() == "is");
  desk.press(U'E');
  CHECK(desk.names().front() == "was");
  CHECK(desk.row("was").total_nj == 10 * static_cast<std::int64_t>(kSecond));
}

TEST_CASE("top: the filter narrows while it is typed, and Esc clears it") {
  Desk desk(kBuild);
  desk.press(U'/');
  CHECK(desk.model.mode() == Mode::kFilter);
  desk.type("cc1q");
  CHECK(desk.names().empty());
  desk.press(KeyCode::kBackspace);
  CHECK(desk.names() == Names{"cc1plus", "cc1"});
  desk.press(KeyCode::kEnter);
  CHECK(desk.model.mode() == Mode::kTable);
  CHECK(desk.model.filter() == "cc1");
  desk.press(KeyCode::kEscape);
  CHECK(desk.names().size() == 6);
  desk.press(U'/');
  desk.press(U'é');
  CHECK(desk.model.filter() == "é");
  desk.press(KeyCode::kBackspace);
  CHECK(desk.model.filter().empty());
}

TEST_CASE("top: the selection follows its row, and stays at the top if it was never moved") {
  Desk desk(kBuild);
  CHECK(desk.selected() == "cc1plus");
  desk.add({{30, 1, "sshd", "", 9}, {22, 20, "cc1plus", "", 7}, {21, 20, "cc1", "", 5}});
  CHECK(desk.selected() == "sshd");
  desk.press(KeyCode::kDown);
  CHECK(desk.selected() == "cc1plus");
  desk.add({{22, 20, "cc1plus", "", 1}, {30, 1, "sshd", "", 9}, {21, 20, "cc1", "", 5}});
  CHECK(desk.selected() == "cc1plus");
  CHECK(desk.model.selected() == 2);
  desk.add({{30, 1, "sshd", "", 9}, {21, 20, "cc1", "", 5}});  // it ended
  CHECK(desk.model.selected() == 2);
  desk.press(KeyCode::kEnd);
  CHECK(desk.model.selected() == desk.model.rows().size() - 1);
  desk.press(KeyCode::kPageDown);
  CHECK(desk.model.selected() == desk.model.rows().size() - 1);
  desk.press(KeyCode::kHome);
  CHECK(desk.model.selected() == 0);
  CHECK(desk.model.first() == 0);
}

TEST_CASE("top: the page scrolls with the selection") {
  Desk desk(kBuild);
  desk.press(KeyCode::kPageDown);
  CHECK(desk.model.selected() == 4);
  CHECK(desk.model.first() == 1);
  desk.press(KeyCode::kUp);
  CHECK(desk.model.first() == 1);
  desk.press(KeyCode::kPageUp);
  CHECK(desk.model.first() == 0);
}

TEST_CASE("top: a tree adds children to their parents, also to one that sleeps") {
  Desk desk(kBuild);
  desk.setup.find_process = [](std::uint32_t pid) {
    auto process = std::make_shared<ProcessIdentity>();
    process->task.pid = pid;
    process->parent_pid = pid == 10 ? 1 : 0;
    process->comm = pid == 10 ? "bash" : "init";
    return process;
  };
  desk.press(U't');
  CHECK(desk.names() ==
        Names{"init", "bash", "make", "cc1plus", "cc1", "sshd", "[idle]", "[unattributed]"});
  CHECK(desk.row("make").row.energy_nj == 13 * static_cast<std::int64_t>(kSecond));
  CHECK(desk.row("make").row.run_ns == 1'300'000'000);
  CHECK(desk.row("init").row.energy_nj == 15 * static_cast<std::int64_t>(kSecond));
  CHECK(desk.row("cc1plus").branches == "|   +-");
  CHECK(desk.row("cc1").branches == "|   `-");

  SUBCASE("a child that ended stays in its parents' energy") {
    desk.add({{20, 10, "make", "", 1}, {30, 1, "sshd", "", 2}});
    CHECK(desk.names() == Names{"init", "sshd", "bash", "make", "[idle]", "[unattributed]"});
    CHECK(desk.row("make").row.energy_nj == static_cast<std::int64_t>(kSecond));
    CHECK(desk.row("make").total_nj == 14 * static_cast<std::int64_t>(kSecond));
  }
  SUBCASE("it folds") {
    desk.press(KeyCode::kDown);
    desk.press(KeyCode::kDown);
    REQUIRE(desk.selected() == "make");
    desk.press(KeyCode::kLeft);
    CHECK(desk.names() == Names{"init", "bash", "make", "sshd", "[idle]", "[unattributed]"});
    CHECK(desk.row("make").collapsed);
    desk.press(KeyCode::kRight);
    CHECK(desk.names().size() == 8);
  }
  SUBCASE("a filter keeps the ancestors and their sums") {
    desk.press(U'/');
    desk.type("plus");
    CHECK(desk.names() == Names{"init", "bash", "make", "cc1plus"});
    CHECK(desk.row("make").row.energy_nj == 13 * static_cast<std::int64_t>(kSecond));
  }
}

TEST_CASE("top: a circle of reused pids is still a list of all rows") {
  Desk desk({{20, 21, "a", "", 1}, {21, 20, "b", "", 2}, {22, 22, "c", "", 3}});
  desk.press(U't');
  CHECK(desk.names().size() == 5);
  std::int64_t roots_nj = 0;
  for (const TopRow& row : desk.model.rows()) {
    roots_nj += row.depth == 0 ? row.row.energy_nj : 0;
  }
  CHECK(roots_nj == desk.history.energy_nj());
}

TEST_CASE("top: cgroups make a tree by their paths") {
  Desk desk({{20, 1, "a", "", 3, test::cgroup(5, "/user.slice/a")},
             {21, 1, "b", "", 4, test::cgroup(6, "/user.slice/b")}});
  desk.press(U'4');
  CHECK(desk.names() == Names{"/user.slice/b", "/user.slice/a", "[idle]", "[unattributed]"});
  desk.press(U't');
  CHECK(desk.names() ==
        Names{"/", "/user.slice", "/user.slice/b", "/user.slice/a", "[idle]", "[unattributed]"});
  CHECK(desk.row("/").row.energy_nj == 7 * static_cast<std::int64_t>(kSecond));
  desk.press(U'3');
  CHECK_FALSE(desk.model.tree());
  desk.press(U't');
  CHECK_FALSE(desk.model.message().empty());
}

TEST_CASE("top: pausing freezes what is shown, not what is counted") {
  Desk desk({{10, 1, "a", "", 4}});
  desk.press(U' ');
  desk.add({{10, 1, "a", "", 6}});
  CHECK(desk.row("a").row.energy_nj == 4 * static_cast<std::int64_t>(kSecond));
  CHECK(desk.row("a").total_nj == 4 * static_cast<std::int64_t>(kSecond));
  desk.press(U'p');
  CHECK(desk.row("a").total_nj == 10 * static_cast<std::int64_t>(kSecond));
}

TEST_CASE("top: rows that did not run are shown on demand, with 0 W") {
  Desk desk({{10, 1, "gone", "", 4}, {11, 1, "here", "", 1}});
  desk.add({{11, 1, "here", "", 1}});
  CHECK(desk.names() == Names{"here", "[idle]", "[unattributed]"});
  desk.press(U'i');
  CHECK(desk.names() == Names{"here", "[idle]", "gone", "[unattributed]"});
  CHECK(desk.row("gone").row.energy_nj == 0);
  CHECK_FALSE(desk.row("gone").ran);
}

TEST_CASE("top: views, overlays and actions") {
  Desk desk(kBuild);
  desk.press(KeyCode::kTab);
  CHECK(desk.model.level() == Level::kThread);
  desk.press(KeyCode::kBackTab);
  desk.press(KeyCode::kBackTab);
  CHECK(desk.model.level() == Level::kVm);
  desk.press(U'1');
  CHECK(desk.model.level() == Level::kProcess);
  desk.press(U'?');
  CHECK(desk.model.mode() == Mode::kHelp);
  CHECK(desk.press(U'q') == Action::kNone);  // leaves the help, not the program
  CHECK(desk.model.mode() == Mode::kTable);
  desk.press(KeyCode::kEnter);
  CHECK(desk.model.mode() == Mode::kDetail);
  CHECK(desk.model.detail_key() == desk.model.rows().front().key);
  CHECK(desk.press(U'+') == Action::kSlower);
  desk.press(KeyCode::kEscape);
  CHECK(desk.press(U'-') == Action::kFaster);
  CHECK(desk.press(KeyCode::kRedraw) == Action::kRedraw);
  CHECK(desk.press(U'q') == Action::kQuit);
}
