// SPDX-License-Identifier: Apache-2.0
#include "identity/identity_cache.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include <doctest/doctest.h>
#include <unistd.h>

#include "fake_proc.hpp"
#include "support/temp_dir.hpp"
#include "support/units.hpp"

namespace powertrace {
namespace {

using powertrace::test::kSecond;

constexpr std::uint64_t kTick = 10'000'000;

void set_comm(char* to, const std::string& comm) {
  std::copy_n(comm.data(), std::min<std::size_t>(comm.size(), PT_COMM_LEN), to);
}

TaskUse use(std::uint32_t tid, std::uint32_t tgid, std::uint64_t start_ns, const char* comm) {
  TaskUse made;
  made.task = {tid, start_ns};
  made.tgid = tgid;
  set_comm(made.comm.data(), comm);
  return made;
}
TaskUse leader(std::uint32_t tgid, std::uint64_t start_ns, const char* comm) {
  return use(tgid, tgid, start_ns, comm);
}

// A cache on a procfs of its own, and the events that it gets.
struct Fixture {
  test::TempDir dir;
  IdentityCache cache;
  std::uint64_t now_ns = 100 * kSecond;

  explicit Fixture(const IdentityCache::Options& options = {})
      : cache(SysRoot{dir.path("sys"), dir.path()}, options) {}

  pt_event_process record(std::uint32_t type,
                          std::uint32_t tgid,
                          std::uint64_t start_ns,
                          std::uint32_t parent,
                          const std::string& comm) {
    pt_event_process event{};
    event.head = {type, 0, ++now_ns};
    event.start_boottime = start_ns;
    event.tgid = tgid;
    event.parent_tgid = parent;
    event.uid = 1000;
    set_comm(event.comm, comm);
    return event;
  }
  bool send(const pt_event_process& event) { return cache.on_event(&event.head, sizeof(event)); }
  void fork(std::uint32_t tgid,
            std::uint64_t start,
            std::uint32_t parent,
            const std::string& comm) {
    REQUIRE(send(record(PT_EVENT_FORK, tgid, start, parent, comm)));
  }
  void exit(std::uint32_t tgid, std::uint64_t start, const std::string& comm) {
    REQUIRE(send(record(PT_EVENT_EXIT, tgid, start, 1, comm)));
  }
  void exec(std::uint32_t tgid,
            std::uint64_t start,
            const std::string& comm,
            const std::string& path,
            const std::string& args) {
    pt_event_exec event{};
    event.process = record(PT_EVENT_EXEC, tgid, start, 1, comm);
    event.path_len = static_cast<std::uint32_t>(path.size() + 1);
    event.args_len = static_cast<std::uint32_t>(std::min<std::size_t>(args.size(), PT_ARGS_LEN));
    std::memcpy(event.path, path.data(), std::min<std::size_t>(path.size(), PT_PATH_LEN));
    std::memcpy(event.args, args.data(), event.args_len);
    REQUIRE(cache.on_event(&event.process.head, sizeof(event)));
  }
};

const std::string kShArgs("sh\0-c\0x\0", 8);

}  // namespace

TEST_CASE("identity: a process from /proc, read once") {
  Fixture f;
  test::FakeProcess{.pid = 42, .comm = "web", .parent_pid = 7, .start_ticks = 500}.write(f.dir);
  const std::uint64_t start = 500 * kTick + 1234;
  const auto process = f.cache.process(leader(42, start, "web"));
  CHECK(process->task == TaskId{42, start});
  CHECK(process->parent_pid == 7);
  CHECK(process->uid == 1000);
  CHECK(process->exe == "/usr/bin/web");
  CHECK(process->cmdline == "web --port 1");
  f.dir.remove("42");
  CHECK(f.cache.process(leader(42, start, "web")) == process);
  CHECK(f.cache.process(use(43, 42, start + kSecond, "worker")) == process);
  CHECK_FALSE(f.cache.terminated(*process));
}

TEST_CASE("identity: a thread seen before its leader, and the leader later") {
  Fixture f;
  test::FakeProcess{.pid = 42, .comm = "java", .parent_pid = 1, .start_ticks = 500}.write(f.dir);
  const auto process = f.cache.process(use(50, 42, 600 * kTick, "GC"));
  CHECK(process->comm == "java");
  CHECK(process->task == TaskId{42, 500 * kTick});
  CHECK(f.cache.process(leader(42, 500 * kTick + 77, "java")) == process);
  CHECK(f.cache.living() == 1);
}

TEST_CASE("identity: nothing to be read leaves the comm") {
  Fixture f;
  const auto process = f.cache.process(leader(42, 5 * kSecond, "gone"));
  CHECK(process->comm == "gone");
  CHECK(process->exe.empty());
  CHECK(process->task == TaskId{42, 5 * kSecond});
  // Known through a thread only, /proc hidden: the leader then is the same process.
  CHECK(f.cache.process(use(61, 60, 9 * kSecond, "worker"))->task == TaskId{60, 0});
  const auto hidden = f.cache.process(leader(60, 8 * kSecond, "main"));
  CHECK(hidden->task == TaskId{60, 8 * kSecond});
  CHECK(hidden->comm == "main");
  CHECK(f.cache.living() == 2);
  TaskUse unterminated = leader(70, kSecond, "0123456789abcdef");
  CHECK(f.cache.process(unterminated)->comm == "0123456789abcdef");
}

TEST_CASE("identity: a fork without exec runs its parent's program") {
  Fixture f;
  f.fork(10, kSecond, 1, "sh");
  f.exec(10, kSecond, "make", "/usr/bin/make", std::string("make\0all\0", 9));
  f.fork(11, 2 * kSecond, 10, "make");
  f.exit(11, 2 * kSecond, "make");
  const auto child = f.cache.process(leader(11, 2 * kSecond, "make"));
  CHECK(child->exe == "/usr/bin/make");
  CHECK(child->cmdline == "make all");
  CHECK(child->parent_pid == 10);
  CHECK(child->uid == 1000);
  CHECK(f.cache.terminated(*child));
  CHECK_FALSE(f.cache.terminated(*f.cache.process(leader(10, kSecond, "make"))));
}

TEST_CASE("identity: a child that died before its parent was known inherits later") {
  Fixture f;
  test::FakeProcess{.pid = 10, .comm = "bash", .start_ticks = 100}.write(f.dir);
  f.fork(11, 2 * kSecond, 10, "bash");
  f.exit(11, 2 * kSecond, "bash");
  f.cache.process(leader(10, kSecond, "bash"));
  CHECK(f.cache.process(leader(11, 2 * kSecond, "bash"))->exe == "/usr/bin/web");
}

TEST_CASE("identity: exec replaces the program, and a stale comm of its window does not") {
  Fixture f;
  f.fork(10, kSecond, 1, "bash");
  f.exec(10, kSecond, "sh", "/bin/sh", kShArgs);
  const auto process = f.cache.process(leader(10, kSecond, "bash"));
  CHECK(process->comm == "sh");
  CHECK(process->exe == "/bin/sh");
  CHECK(process->cmdline == "sh -c x");
  f.exec(10, kSecond, "python3", "/usr/bin/python3", std::string("python3\0", 8));
  CHECK(f.cache.process(leader(10, kSecond, "sh"))->exe == "/usr/bin/python3");
  CHECK(process->exe == "/bin/sh");  // what was published stays as it was
}

TEST_CASE("identity: cut arguments and a relative path are looked up once") {
  Fixture f;
  test::FakeProcess fake{.pid = 10, .comm = "java", .start_ticks = 100, .exe = "/usr/bin/java"};
  fake.cmdline = "java" + std::string(600, 'x');
  fake.write(f.dir);
  f.exec(10, kSecond, "java", "/usr/bin/java", fake.cmdline);
  CHECK(f.cache.process(leader(10, kSecond, "java"))->cmdline == fake.cmdline);
  // Gone: the beginning is better than nothing.
  f.exec(11, kSecond, "java", "./java", fake.cmdline);
  const auto gone = f.cache.process(leader(11, kSecond, "java"));
  CHECK(gone->cmdline == fake.cmdline.substr(0, PT_ARGS_LEN));
  CHECK(gone->exe == "./java");
  // Another process by now.
  f.exec(10, 9 * kSecond, "new", "./new", "");
  CHECK(f.cache.process(leader(10, 9 * kSecond, "new"))->exe == "./new");
}

TEST_CASE("identity: a renamed leader renames its process, a thread does not") {
  Fixture f;
  f.fork(10, kSecond, 1, "a");
  CHECK(f.cache.process(use(12, 10, 2 * kSecond, "worker"))->comm == "a");
  CHECK(f.cache.process(leader(10, kSecond, "b"))->comm == "b");
  CHECK(f.cache.process(use(12, 10, 2 * kSecond, "worker"))->comm == "b");
  f.exit(10, kSecond, "c");
  CHECK(f.cache.process(leader(10, kSecond, "b"))->comm == "c");
}

TEST_CASE("identity: a reused pid is another process, and the old one keeps its name") {
  Fixture f;
  f.fork(10, kSecond, 1, "old");
  f.exit(10, kSecond, "old");
  f.fork(10, 5 * kSecond, 1, "new");
  const auto old = f.cache.process(leader(10, kSecond, "old"));
  const auto fresh = f.cache.process(leader(10, 5 * kSecond, "new"));
  CHECK(old->comm == "old");
  CHECK(fresh->comm == "new");
  CHECK(f.cache.process(use(11, 10, 2 * kSecond, "t")) == old);
  CHECK(f.cache.process(use(12, 10, 6 * kSecond, "t")) == fresh);
  CHECK(f.cache.terminated(*old));
  CHECK_FALSE(f.cache.terminated(*fresh));
  // A lost exit event: the successor proves the end.
  f.fork(10, 9 * kSecond, 1, "newer");
  CHECK(f.cache.terminated(*fresh));
}

TEST_CASE("identity: /proc already shows the pid's next owner") {
  Fixture f;
  test::FakeProcess{.pid = 10, .comm = "next", .start_ticks = 900}.write(f.dir);
  const auto gone = f.cache.process(leader(10, kSecond, "first"));
  CHECK(gone->comm == "first");
  CHECK(gone->exe.empty());
  CHECK(f.cache.terminated(*gone));
  const auto thread = f.cache.process(use(11, 10, 2 * kSecond, "t"));
  CHECK(thread == gone);
  CHECK(f.cache.process(leader(10, 9 * kSecond, "next"))->exe == "/usr/bin/web");
  const auto orphan = f.cache.process(use(33, 32, kSecond, "t"));
  CHECK(orphan->task.start_ns == 0);
}

TEST_CASE("identity: kernel threads need no /proc") {
  Fixture f;
  TaskUse worker = leader(77, kSecond, "kworker/0:1");
  worker.kernel_thread = true;
  const auto process = f.cache.process(worker);
  CHECK(process->kernel_thread);
  CHECK(process->comm == "kworker/0:1");
  CHECK(process->parent_pid == 2);
  auto event = f.record(PT_EVENT_FORK, 78, kSecond, 2, "kthread");
  event.flags = PT_F_KTHREAD;
  REQUIRE(f.send(event));
  CHECK(f.cache.process(leader(78, kSecond, "kthread"))->kernel_thread);
}

TEST_CASE("identity: an exit without anything before it still names the process") {
  Fixture f;
  f.exit(10, kSecond, "short");
  const auto process = f.cache.process(leader(10, kSecond, "short"));
  CHECK(process->comm == "short");
  CHECK(f.cache.terminated(*process));
  CHECK(f.cache.living() == 0);
}

TEST_CASE("identity: ended processes stay for a while, idle ones longer, all within limits") {
  Fixture f({.keep_ended_ns = 60 * kSecond, .max_ended = 100, .keep_idle_ns = 600 * kSecond});
  f.fork(9, kSecond, 1, "sleeper");
  const auto sleeper = f.cache.process(leader(9, kSecond, "sleeper"));
  for (std::uint32_t pid = 1000; pid < 1500; ++pid) {
    f.fork(pid, pid, 1, "short");
    f.exit(pid, pid, "short");
  }
  CHECK(f.cache.ended() == 100);
  CHECK(f.cache.terminated(*f.cache.process(leader(1499, 1499, "short"))));
  f.cache.advance(f.now_ns + 59 * kSecond);
  CHECK(f.cache.ended() == 100);
  f.cache.advance(f.now_ns + 61 * kSecond);
  CHECK(f.cache.ended() == 0);
  CHECK(f.cache.living() == 1);
  CHECK(f.cache.process(leader(9, kSecond, "sleeper")) == sleeper);
  f.cache.advance(f.now_ns + 600 * kSecond);
  CHECK(f.cache.living() == 1);
  f.cache.advance(f.now_ns + 662 * kSecond);
  CHECK(f.cache.living() == 0);
}

TEST_CASE("identity: 20 000 processes and many reused pids stay bounded") {
  Fixture f({.max_ended = 1000, .max_living = 5000});
  for (std::uint32_t pid = 1; pid <= 20'000; ++pid) {
    f.cache.process(leader(pid, pid * kSecond, "p"));
  }
  CHECK(f.cache.living() == 5000);
  for (std::uint64_t start = 1; start <= 20'000; ++start) {
    f.fork(30'000, start * kSecond, 1, "again");
  }
  CHECK(f.cache.ended() == 1000);
  CHECK(f.cache.living() == 5000);
}

TEST_CASE("identity: records that are no whole lifecycle records are refused") {
  Fixture f;
  auto event = f.record(PT_EVENT_FORK, 10, kSecond, 1, "x");
  CHECK_FALSE(f.cache.on_event(nullptr, sizeof(event)));
  CHECK_FALSE(f.cache.on_event(&event.head, sizeof(pt_event) - 1));
  CHECK_FALSE(f.cache.on_event(&event.head, sizeof(event) - 1));
  event.head.type = PT_EVENT_EXEC;
  CHECK_FALSE(f.cache.on_event(&event.head, sizeof(event)));
  event.head.type = PT_EVENT_CGROUP;
  CHECK_FALSE(f.cache.on_event(&event.head, sizeof(event)));
  for (const std::uint32_t type : {0U, std::uint32_t{PT_EVENT_SLICE}, 77U}) {
    event.head.type = type;
    CHECK_FALSE(f.cache.on_event(&event.head, sizeof(event)));
  }
  CHECK(f.cache.living() == 0);
  // Lengths beyond the arrays, texts without an end.
  pt_event_exec exec{};
  std::memset(&exec, 0xff, sizeof(exec));
  exec.process.head.type = PT_EVENT_EXEC;
  CHECK(f.cache.on_event(&exec.process.head, sizeof(exec)));
  TaskUse odd = leader(exec.process.tgid, exec.process.start_boottime, "");
  CHECK(f.cache.process(odd)->exe.size() == PT_PATH_LEN);
  CHECK(f.cache.process(odd)->cmdline.size() == PT_ARGS_LEN);
  pt_event_cgroup cgroup{};
  std::memset(&cgroup, '/', sizeof(cgroup));
  cgroup.head.type = PT_EVENT_CGROUP;
  CHECK(f.cache.on_event(&cgroup.head, sizeof(cgroup)));
}

TEST_CASE("identity: control characters are kept for the renderer to escape") {
  Fixture f;
  f.exec(10, kSecond, "a\x1b[1m\n", "/bin/\x1b]0;x\a", std::string("a\x1b\0b\n\xff\0\0", 8));
  const auto process = f.cache.process(leader(10, kSecond, "a\x1b[1m\n"));
  CHECK(process->comm == "a\x1b[1m\n");
  CHECK(process->exe == "/bin/\x1b]0;x\a");
  CHECK(process->cmdline == "a\x1b b\n\xff");
}

TEST_CASE("identity: cgroup events name containers that are gone") {
  Fixture f;
  const std::string id(64, 'a');
  pt_event_cgroup event{};
  event.head.type = PT_EVENT_CGROUP;
  event.cgroup_id = 4711;
  const std::string path = "/libpod_parent/libpod-" + id;
  std::memcpy(event.path, path.data(), path.size());
  event.path_len = static_cast<std::uint32_t>(path.size() + 1);
  REQUIRE(f.cache.on_event(&event.head, sizeof(event)));
  CHECK(f.cache.cgroup(4711)->container->id == id);
  CHECK(f.cache.cgroup(4712)->path == "[cgroup 4712]");
}

TEST_CASE("identity: this process and an unreadable one on the real machine") {
  IdentityCache cache{SysRoot()};
  const auto pid = static_cast<std::uint32_t>(::getpid());
  CHECK(cache.process(use(pid, pid, 0, "x"))->exe.ends_with("identity_test"));
  const auto init = cache.process(use(1, 1, 0, "fallback"));
  CHECK_FALSE(init->comm.empty());
  CHECK(init->task.pid == 1);
}

}  // namespace powertrace
