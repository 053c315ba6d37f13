// SPDX-License-Identifier: Apache-2.0
#include "identity/cgroup_tree.hpp"

#include <algorithm>
#include <filesystem>
#include <string>
#include <sys/stat.h>

#include <doctest/doctest.h>
#include <unistd.h>

#include "container_id.hpp"
#include "support/temp_dir.hpp"

namespace powertrace {
namespace {

std::uint64_t inode(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

// A cgroup tree of plain directories, seen through --sysfs and --procfs.
struct FakeTree {
  test::TempDir dir;
  SysRoot root{dir.path("sys"), dir.path("proc")};

  void mountinfo(const std::string& text) const { dir.write("proc/self/mountinfo", text); }
  std::uint64_t make(const std::string& path) const {
    std::filesystem::create_directories(dir.path(path));
    return inode(dir.path(path));
  }
};

const std::string kV2 = "41 31 0:38 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw\n";
const CgroupTree::Options kRetryAtOnce{.retry_ns = 0};
const CgroupTree::Options kNeverRetry{.retry_ns = 3'600'000'000'000};

// A cgroup directory of the real machine, removed with it; empty path if it cannot be made.
struct RealCgroup {
  std::string path;
  RealCgroup() {
    const CgroupMount mount = find_cgroup_mount(SysRoot());
    path = mount.directory + "/powertrace-test-" + std::to_string(::getpid());
    if (mount.hierarchy == CgroupHierarchy::kNone || ::mkdir(path.c_str(), 0755) != 0) {
      path.clear();
    }
  }
  RealCgroup(const RealCgroup&) = delete;
  RealCgroup& operator=(const RealCgroup&) = delete;
  ~RealCgroup() { remove(); }
  void remove() const {
    if (!path.empty()) {
      ::rmdir(path.c_str());
    }
  }
  [[nodiscard]] std::string name() const { return path.substr(path.rfind('/')); }
};

}  // namespace

TEST_CASE("cgroup mount: lines of mountinfo") {
  const auto mounts = parse_mountinfo(
      "31 23 0:28 / /a\\040b\\134c rw - tmpfs tmpfs rw\n"
      "32 31 0:29 /docker/x /mnt rw,nosuid master:1 shared:2 - cgroup cgroup rw,cpu,cpuacct\n"
      "garbage\n"
      "33 31 0:29 / /no-separator rw\n"
      "\n"
      "34 31 0:29 / /short rw - cgroup2");
  REQUIRE(mounts.size() == 3);
  CHECK(mounts[0].mount_point == "/a b\\c");
  CHECK(mounts[1].root == "/docker/x");
  CHECK(mounts[1].type == "cgroup");
  CHECK(mounts[1].super_options == "rw,cpu,cpuacct");
  CHECK(mounts[2].type == "cgroup2");
}

TEST_CASE("cgroup mount: the number of the v1 hierarchy that accounts CPU time") {
  CHECK(parse_v1_hierarchy("5:memory:/a\n4:cpu,cpuacct:/b\n1:name=systemd:/\n0::/\n") == 4);
  CHECK(parse_v1_hierarchy("3:cpu:/\n7:cpuacct:/\n") == 7);
  CHECK(parse_v1_hierarchy("3:cpu:/\n") == 3);
  CHECK(parse_v1_hierarchy("0::/\n") == 0);
  CHECK(parse_v1_hierarchy("x:cpuacct:/\n::\n") == 0);
  CHECK(parse_v1_hierarchy("") == 0);
}

TEST_CASE("cgroup mount: which hierarchy counts") {
  const FakeTree tree;
  CHECK(find_cgroup_mount(tree.root).hierarchy == CgroupHierarchy::kNone);
  for (const char* name : {"sys/fs/cgroup/unified", "sys/fs/cgroup/cpu", "sys/fs/cgroup/cpuacct"}) {
    tree.make(name);
  }
  const std::string v1_cpu = "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n";
  const std::string v1_acct = "33 31 0:30 / /sys/fs/cgroup/cpuacct rw - cgroup cgroup rw,cpuacct\n";
  const std::string v1_other = "40 31 0:37 / /sys/fs/cgroup rw - cgroup cgroup rw,name=systemd\n";
  const std::string unified = "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

  tree.mountinfo(kV2 + v1_other);
  CgroupMount mount = find_cgroup_mount(tree.root);
  CHECK(mount.hierarchy == CgroupHierarchy::kV2);
  CHECK(mount.directory == tree.dir.path("sys/fs/cgroup"));

  tree.mountinfo(v1_cpu + v1_acct + v1_other + unified);
  mount = find_cgroup_mount(tree.root);
  CHECK(mount.hierarchy == CgroupHierarchy::kHybrid);
  CHECK(mount.directory == tree.dir.path("sys/fs/cgroup/unified"));

  tree.mountinfo(v1_cpu + v1_acct + v1_other);
  mount = find_cgroup_mount(tree.root);
  CHECK(mount.hierarchy == CgroupHierarchy::kV1);
  CHECK(mount.directory == tree.dir.path("sys/fs/cgroup/cpuacct"));

  tree.mountinfo(v1_other);
  CHECK(find_cgroup_mount(tree.root).hierarchy == CgroupHierarchy::kNone);
}

TEST_CASE("cgroup mount: one below the given sysfs that shows everything is preferred") {
  const FakeTree tree;
  tree.make("sys/fs/cgroup");
  tree.make("partial");
  const std::string partial = "50 1 0:38 /a/b " + tree.dir.path("partial") + " rw - cgroup2 c rw\n";
  const std::string whole =
      "51 1 0:38 / " + tree.dir.path("sys/fs/cgroup") + " rw - cgroup2 c rw\n";
  for (const std::string& text : {partial + whole, whole + partial}) {
    tree.mountinfo(text);
    CHECK(find_cgroup_mount(tree.root).directory == tree.dir.path("sys/fs/cgroup"));
  }
  tree.mountinfo(partial);
  CHECK(find_cgroup_mount(tree.root).root == "/a/b");
}

TEST_CASE("cgroup tree: a walk finds ids by inode where handles do not work") {
  const FakeTree tree;
  const std::uint64_t deep = tree.make("sys/fs/cgroup/docker/" + kId);
  const std::uint64_t odd = tree.make("sys/fs/cgroup/a b\n\x1b[1m");
  tree.mountinfo(kV2);
  CgroupTree cgroups(tree.root, kNeverRetry);
  const auto found = cgroups.find(deep);
  CHECK(found->id == deep);
  CHECK(found->path == "/docker/" + kId);
  REQUIRE(found->container.has_value());
  CHECK(found->container->runtime == "docker");
  CHECK(cgroups.find(odd)->path == "/a b\n\x1b[1m");
  CHECK(cgroups.find(inode(tree.dir.path("sys/fs/cgroup")))->path == "/");
  CHECK(cgroups.find(1)->path == "/");
  CHECK(cgroups.find(deep) == found);  // the same object: resolved once
}

TEST_CASE("cgroup tree: unknown ids do not cause a walk each") {
  const FakeTree tree;
  tree.make("sys/fs/cgroup/a");
  tree.mountinfo(kV2);
  CgroupTree patient(tree.root, kNeverRetry);
  CHECK(patient.find(987'654'321'987)->path == "[cgroup 987654321987]");
  CHECK_FALSE(patient.find(987'654'321'987)->container.has_value());
  const std::uint64_t late = tree.make("sys/fs/cgroup/late");
  CHECK(patient.find(late)->path == "[cgroup " + std::to_string(late) + "]");
  patient.learn(late, "/late");  // an event still names it
  CHECK(patient.find(late)->path == "/late");

  CgroupTree eager(tree.root, kRetryAtOnce);
  const auto unknown = eager.find(987'654'321'987);
  CHECK(unknown->path == "[cgroup 987654321987]");
  const std::uint64_t later = tree.make("sys/fs/cgroup/later");
  CHECK(eager.find(later)->path == "/later");
  CHECK(eager.find(0)->path == "[cgroup 0]");
}

TEST_CASE("cgroup tree: what an event taught outlives the directory") {
  const FakeTree tree;
  tree.mountinfo("");
  CgroupTree cgroups(tree.root);
  CHECK(cgroups.mount().hierarchy == CgroupHierarchy::kNone);
  cgroups.learn(4711, "/docker/" + kId);
  CHECK(cgroups.find(4711)->container->id == kId);
  cgroups.learn(4711, "/else");  // an id is named once
  CHECK(cgroups.find(4711)->path == "/docker/" + kId);
  cgroups.learn(4712, "no slash");
  CHECK(cgroups.find(4712)->path == "[cgroup 4712]");
  cgroups.learn(4713, "/cut/of", false);  // nothing better to be had
  CHECK(cgroups.find(4713)->path == "/cut/of");
}

TEST_CASE("cgroup tree: memory and walks are bounded") {
  const FakeTree tree;
  for (int i = 0; i < 50; ++i) {
    tree.make("sys/fs/cgroup/g" + std::to_string(i));
  }
  tree.mountinfo(kV2);
  CgroupTree cgroups(tree.root, {.max_cached = 10, .max_walk = 20, .retry_ns = 0});
  for (std::uint64_t id = 1; id < 10'000; ++id) {
    cgroups.learn(id + 1'000'000'000'000, "/x" + std::to_string(id));
  }
  CHECK(cgroups.cached() == 10);
  cgroups.find(5);
  CHECK(cgroups.cached() == 10);
}

TEST_CASE("cgroup tree: without a cgroup file system /proc names the cgroup of a process") {
  const FakeTree tree;
  tree.mountinfo("");
  tree.dir.write("proc/42/cgroup", "0::/../../kubepods/x\n");
  CgroupTree cgroups(tree.root, kNeverRetry);
  CHECK(cgroups.find(77, 42)->path == "/../../kubepods/x");
  CHECK(cgroups.find(78, 43)->path == "[cgroup 78]");
}

TEST_CASE("cgroup tree: a process that moved on does not name its old cgroup") {
  const FakeTree tree;
  tree.make("sys/fs/cgroup/new");
  tree.mountinfo(kV2);
  tree.dir.write("proc/42/cgroup", "0::/new\n");
  CgroupTree cgroups(tree.root, kNeverRetry);
  CHECK(cgroups.find(987'654'321'987, 42)->path == "[cgroup 987654321987]");
}

TEST_CASE("cgroup tree: a cgroup outside the mounted part has no wrong name") {
  const RealCgroup real;
  if (real.path.empty()) {
    MESSAGE("skipped: no cgroup can be made here (needs a writable cgroup file system)");
    return;
  }
  const std::string inner = real.path + "/in";
  const std::string outer = real.path + "2";
  REQUIRE(::mkdir(inner.c_str(), 0755) == 0);
  REQUIRE(::mkdir(outer.c_str(), 0755) == 0);
  const std::uint64_t outer_id = inode(outer);
  const FakeTree tree;
  tree.mountinfo("1 1 0:1 " + real.name() + " " + real.path + " rw - cgroup2 cgroup2 rw\n");
  tree.dir.write("proc/42/cgroup", "0::/../outside\n");
  CgroupTree cgroups(tree.root, kRetryAtOnce);
  CHECK(cgroups.mount().root == real.name());
  CHECK(cgroups.find(inode(inner))->path == real.name() + "/in");
  CHECK(cgroups.find(inode(real.path))->path == real.name());
  CHECK(cgroups.find(outer_id)->path == "[cgroup " + std::to_string(outer_id) + "]");
  CHECK(cgroups.find(outer_id, 42)->path == "/../outside");
  ::rmdir(inner.c_str());
  ::rmdir(outer.c_str());
}

TEST_CASE("cgroup tree: real ids, by handle and by walk") {
  const RealCgroup real;
  if (real.path.empty()) {
    MESSAGE("skipped: no cgroup can be made here (needs a writable cgroup file system)");
    return;
  }
  const std::uint64_t id = inode(real.path);
  for (const bool use_handles : {true, false}) {
    CAPTURE(use_handles);
    CgroupTree cgroups(SysRoot(), {.retry_ns = 0, .use_handles = use_handles});
    CHECK(cgroups.find(id)->path == real.name());
    CHECK(cgroups.find(inode(cgroups.mount().directory))->path == "/");
    CHECK(cgroups.find(id + 1'000'000)->path == "[cgroup " + std::to_string(id + 1'000'000) + "]");
  }
  CgroupTree late{SysRoot()};
  CgroupTree early{SysRoot()};
  CHECK(early.find(id)->path == real.name());
  real.remove();
  CHECK(late.find(id)->path == "[cgroup " + std::to_string(id) + "]");
  CHECK(early.find(id)->path == real.name());
}

TEST_CASE("cgroup tree: the host's hierarchy is known from inside a cgroup namespace") {
  const FakeTree tree;
  tree.make("sys/fs/cgroup");
  tree.mountinfo("41 31 0:38 /../../.. " + tree.dir.path("sys/fs/cgroup") +
                 " rw,relatime - cgroup2 cgroup2 rw\n");
  CHECK(find_cgroup_mount(tree.root).root == "/");
  tree.mountinfo("41 31 0:38 /../other " + tree.dir.path("sys/fs/cgroup") +
                 " rw,relatime - cgroup2 cgroup2 rw\n");
  CHECK(find_cgroup_mount(tree.root).root == "/../other");
}

}  // namespace powertrace
