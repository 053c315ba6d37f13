// SPDX-License-Identifier: Apache-2.0
#include "identity/proc_reader.hpp"

#include <filesystem>
#include <system_error>

#include <doctest/doctest.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "fake_proc.hpp"
#include "support/temp_dir.hpp"

namespace powertrace {

using test::stat_line;

TEST_CASE("proc: stat with any comm") {
  for (const std::string& comm :
       {std::string("bash"), std::string(""), std::string("a b"), std::string("x) R 1 (y"),
        std::string(")) (("), std::string("new\nline"), std::string("\x1b[0m\xff")}) {
    CAPTURE(comm);
    const auto stat = parse_proc_stat(stat_line(4711, comm, 1, 98765));
    REQUIRE(stat.has_value());
    CHECK(stat->pid == 4711);
    CHECK(stat->comm == comm);
    CHECK(stat->parent_pid == 1);
    CHECK(stat->start_ticks == 98765);
    CHECK_FALSE(stat->kernel_thread);
  }
  CHECK(parse_proc_stat(stat_line(2, "kthreadd", 0, 1, 0x00200000 | 0x40))->kernel_thread);
}

TEST_CASE("proc: a stat cut anywhere before the end of the start time gives nothing") {
  const std::string whole = stat_line(4711, "a) b", 1, 98765);
  const std::size_t needed = whole.find("98765 ") + 6;
  for (std::size_t length = 0; length < needed; ++length) {
    CAPTURE(length);
    CHECK_FALSE(parse_proc_stat(whole.substr(0, length)).has_value());
  }
  CHECK(parse_proc_stat(whole.substr(0, needed)).has_value());
  for (const char* bad : {"(x) S 1", "1 x) S", "1 (x S", ") (", "1 )(x", "x (y) S 1 1 1 1 1 1"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_proc_stat(bad).has_value());
  }
}

TEST_CASE("proc: uid, arguments and cgroup lines") {
  CHECK(parse_proc_status_uid("Name:\tx\nUid:\t1000\t0\t0\t0\n") == 1000U);
  CHECK(parse_proc_status_uid("Name:\tUid:\nUid:\t7") == 7U);
  CHECK_FALSE(parse_proc_status_uid("Name:\tx\nUid:\tx\n").has_value());
  CHECK_FALSE(parse_proc_status_uid("").has_value());
  CHECK(join_arguments(std::string("sh\0-c\0a b\0\0", 11)) == "sh -c a b");
  CHECK(join_arguments({}).empty());
  const char* hybrid = "4:memory:/m\n2:cpu,cpuacct:/a:b\n1:name=systemd:/s\n0::/u/v\n";
  CHECK(parse_proc_cgroup(hybrid, false) == "/u/v");
  CHECK(parse_proc_cgroup(hybrid, true) == "/a:b");
  CHECK_FALSE(parse_proc_cgroup("1:cpuset:/x\n", true).has_value());
  CHECK_FALSE(parse_proc_cgroup("0::", false).has_value());
}

TEST_CASE("proc: every missing piece costs one label") {
  const test::TempDir dir;
  const ProcReader reader(SysRoot{"/sys", dir.path()});
  CHECK_FALSE(reader.read(42).has_value());
  test::FakeProcess process{.pid = 42, .comm = "web", .parent_pid = 7, .start_ticks = 500};
  process.write(dir);
  auto record = reader.read(42);
  REQUIRE(record.has_value());
  CHECK(record->stat.comm == "web");
  CHECK(record->stat.parent_pid == 7);
  CHECK(record->uid == 1000);
  CHECK(record->exe == "/usr/bin/web");
  CHECK(record->cmdline == "web --port 1");
  const std::uint64_t tick_ns = reader.start_ns(record->stat) / 500;
  CHECK(reader.same_start(reader.start_ns(record->stat), 500 * tick_ns + 123));
  CHECK(reader.same_start(reader.start_ns(record->stat), 499 * tick_ns));
  CHECK_FALSE(reader.same_start(reader.start_ns(record->stat), 502 * tick_ns));

  dir.remove("42/exe");
  dir.remove("42/cmdline");
  dir.remove("42/status");
  record = reader.read(42);
  REQUIRE(record.has_value());
  CHECK(record->stat.comm == "web");
  CHECK(record->exe.empty());
  CHECK(record->cmdline.empty());
  CHECK(record->uid == 0);

  process.exe = "/opt/a (deleted)";
  process.cmdline = std::string(5000, 'x');
  process.write(dir);
  record = reader.read(42);
  CHECK(record->exe == "/opt/a");
  CHECK(record->cmdline.size() == ProcReader::kMaxCmdline);

  dir.write("42/stat", "42 (web) S 7");
  CHECK_FALSE(reader.read(42).has_value());
  dir.write("42/stat", stat_line(43, "other", 1, 1));
  CHECK_FALSE(reader.read(42).has_value());
}

TEST_CASE("proc: this process and an unreadable one on the real machine") {
  const ProcReader reader{SysRoot()};
  const auto self = reader.read(static_cast<std::uint32_t>(::getpid()));
  REQUIRE(self.has_value());
  CHECK(self->exe.ends_with("identity_test"));
  CHECK(self->cmdline.find("identity_test") != std::string::npos);
  CHECK(self->uid == ::getuid());
  CHECK(self->stat.parent_pid == static_cast<std::uint32_t>(::getppid()));
  const std::uint64_t start_ns = reader.start_ns(self->stat);
  CHECK(start_ns <= boottime_ns());
  CHECK(reader.read_cgroup(static_cast<std::uint32_t>(::getpid()), false).has_value());

  const auto init = reader.read(1);
  if (!init) {
    MESSAGE("skipped: /proc hides pid 1");
    return;
  }
  CHECK_FALSE(init->stat.comm.empty());
  CHECK(init->stat.parent_pid == 0);
  std::error_code denied;  // on some machines even for root
  const auto exe = std::filesystem::read_symlink("/proc/1/exe", denied);
  CHECK(init->exe == (denied ? std::string() : exe.string()));
}

TEST_CASE("proc: our own pid is the one that the given procfs tells") {
  const test::TempDir dir;
  CHECK(own_pid(SysRoot{"", dir.path()}) == static_cast<std::uint32_t>(::getpid()));
  std::filesystem::create_symlink("4711", dir.path("self"));
  CHECK(own_pid(SysRoot{"", dir.path()}) == 4711);
  CHECK(own_pid(SysRoot()) == static_cast<std::uint32_t>(::getpid()));
}

}  // namespace powertrace
