// SPDX-License-Identifier: Apache-2.0
#include "model/descendants.hpp"

#include <doctest/doctest.h>

namespace powertrace {
namespace {

constexpr std::uint32_t kRoot = 100;

pt_event_process event(std::uint32_t type,
                       std::uint32_t tgid,
                       std::uint64_t start_ns,
                       std::uint32_t parent = 0) {
  pt_event_process process{};
  process.head.type = type;
  process.tgid = tgid;
  process.start_boottime = start_ns;
  process.parent_tgid = parent;
  return process;
}

void show(Descendants& family, const pt_event_process& process) {
  family.on_event(process.head, sizeof(process));
}
void fork(Descendants& family, std::uint32_t parent, std::uint32_t child, std::uint64_t start_ns) {
  show(family, event(PT_EVENT_FORK, child, start_ns, parent));
}
void exit(Descendants& family, std::uint32_t tgid, std::uint64_t start_ns) {
  show(family, event(PT_EVENT_EXIT, tgid, start_ns));
}

TaskUse ran(std::uint32_t tgid, std::uint64_t start_ns, std::uint32_t tid = 0) {
  TaskUse use;
  use.task = {tid == 0 ? tgid : tid, start_ns};
  use.tgid = tgid;
  return use;
}

}  // namespace

TEST_CASE("descendants: the root, its children and theirs belong, strangers do not") {
  Descendants family(kRoot);
  fork(family, kRoot, 101, 1000);
  fork(family, 101, 102, 2000);
  fork(family, 1, 103, 3000);
  fork(family, 103, 104, 4000);
  CHECK(family.saw(ran(kRoot, 500)));
  CHECK(family.saw(ran(101, 1000)));
  CHECK(family.saw(ran(102, 2000)));
  CHECK_FALSE(family.saw(ran(103, 3000)));
  CHECK_FALSE(family.saw(ran(104, 4000)));
  CHECK(family.processes() == 3);
  CHECK(family.living() == 3);
}

TEST_CASE("descendants: threads belong to their process and are counted once") {
  Descendants family(kRoot);
  CHECK(family.saw(ran(kRoot, 500)));
  CHECK(family.saw(ran(kRoot, 900, 110)));
  CHECK(family.saw(ran(kRoot, 900, 110)));
  CHECK(family.threads() == 2);
  CHECK(family.processes() == 1);
}

TEST_CASE("descendants: who forked whom stays when the parent is gone") {
  // As a daemon does it: the middle process ends at once.
  Descendants family(kRoot);
  fork(family, kRoot, 101, 1000);
  fork(family, 101, 102, 2000);
  exit(family, 101, 1000);
  family.end_window();
  family.end_window();
  family.end_window();
  fork(family, 102, 103, 3000);
  CHECK(family.saw(ran(102, 2000)));
  CHECK(family.saw(ran(103, 3000)));
  CHECK(family.living() == 3);
}

TEST_CASE("descendants: one that ended counts until the end of the next window") {
  Descendants family(kRoot);
  fork(family, kRoot, 101, 1000);
  exit(family, 101, 1000);
  CHECK(family.living() == 1);
  CHECK(family.saw(ran(101, 1000)));
  family.end_window();
  CHECK(family.saw(ran(101, 1000)));
  family.end_window();
  CHECK_FALSE(family.saw(ran(101, 1000)));
  CHECK(family.processes() == 2);
}

TEST_CASE("descendants: a pid that went to a stranger is told apart by its start") {
  Descendants family(kRoot);
  fork(family, kRoot, 101, 1000);
  exit(family, 101, 1000);
  fork(family, 1, 101, 5000);
  CHECK(family.saw(ran(101, 1000)));
  CHECK(family.saw(ran(101, 4999, 120)));  // a thread of the first bearer
  CHECK_FALSE(family.saw(ran(101, 5000)));
  fork(family, 101, 102, 6000);  // the stranger's child
  CHECK_FALSE(family.saw(ran(102, 6000)));
}

TEST_CASE("descendants: a pid that came back into the family has two bearers") {
  Descendants family(kRoot);
  fork(family, kRoot, 101, 1000);
  exit(family, 101, 1000);
  fork(family, kRoot, 101, 5000);
  CHECK(family.processes() == 3);
  CHECK(family.living() == 2);
  family.end_window();
  family.end_window();
  CHECK_FALSE(family.saw(ran(101, 1000)));
  CHECK(family.saw(ran(101, 5000)));
}

TEST_CASE("descendants: a bearer whose exit was lost ends when its pid is given again") {
  Descendants family(kRoot);
  fork(family, kRoot, 101, 1000);
  fork(family, 1, 101, 5000);
  CHECK(family.living() == 1);
  family.end_window();
  family.end_window();
  CHECK_FALSE(family.saw(ran(101, 1000)));
}

TEST_CASE("descendants: an exit of the pid's earlier bearer changes nothing") {
  Descendants family(kRoot);
  fork(family, kRoot, 101, 5000);
  exit(family, 101, 1000);
  CHECK(family.living() == 2);
}

TEST_CASE("descendants: records that are cut short or of another kind are ignored") {
  Descendants family(kRoot);
  const pt_event_process child = event(PT_EVENT_FORK, 101, 1000, kRoot);
  family.on_event(child.head, sizeof(child) - 1);
  family.on_event(child.head, sizeof(pt_event));
  show(family, event(PT_EVENT_EXEC, 101, 1000, kRoot));
  show(family, event(PT_EVENT_CGROUP, 101, 1000, kRoot));
  CHECK(family.processes() == 1);
}

TEST_CASE("descendants: a storm of short-lived children leaves nothing behind") {
  Descendants family(kRoot);
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    const std::uint32_t pid = 101 + i % 1000;
    const std::uint64_t start_ns = 1000 + i;
    fork(family, kRoot, pid, start_ns);
    REQUIRE(family.saw(ran(pid, start_ns)));
    exit(family, pid, start_ns);
    if (i % 100 == 99) {
      family.end_window();
    }
  }
  family.end_window();
  family.end_window();
  CHECK(family.processes() == 100'001);
  CHECK(family.threads() == 100'000);
  CHECK(family.living() == 1);
  CHECK_FALSE(family.saw(ran(101, 1000)));
  CHECK_FALSE(family.saw(ran(1100, 100'999)));
}

}  // namespace powertrace
