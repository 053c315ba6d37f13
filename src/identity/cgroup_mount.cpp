// SPDX-License-Identifier: Apache-2.0
#include "identity/cgroup_mount.hpp"

#include <algorithm>
#include <charconv>
#include <sys/stat.h>

#include "base/text.hpp"

namespace powertrace {
namespace {

// The kernel writes blanks, newlines and backslashes as \ooo.
std::string unescape_octal(std::string_view text) {
  const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) && is_octal(text[i + 2]) &&
        is_octal(text[i + 3])) {
      const int value = (text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0');
      plain += static_cast<char>(value);
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

bool has_option(std::string_view options, std::string_view wanted) {
  while (!options.empty()) {
    if (take_until(options, ',') == wanted) {
      return true;
    }
  }
  return false;
}

bool is_directory(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

// The mount point as seen through another sysfs (--sysfs /host/sys).
std::string map_mount_point(const SysRoot& root, const std::string& mount_point) {
  constexpr std::string_view kSys = "/sys/";
  if (root.sysfs != "/sys" && mount_point.starts_with(kSys)) {
    std::string mapped = root.sys(mount_point.substr(kSys.size()));
    if (is_directory(mapped)) {
      return mapped;
    }
  }
  return mount_point;
}

// From inside a cgroup namespace the root of the host's hierarchy is called "/../..".
std::string without_parents(const std::string& root) {
  std::string_view rest = root;
  while (rest.starts_with("/..")) {
    rest.remove_prefix(3);
  }
  return rest.empty() ? "/" : root;
}

struct BestMount {
  int score = -1;
  std::string directory;
  std::string root;

  void offer(const SysRoot& sysroot, const MountInfo& mount, int bonus) {
    const std::string mapped = map_mount_point(sysroot, mount.mount_point);
    const std::string shown = without_parents(mount.root);
    const bool usual_place = mapped.starts_with(sysroot.sys("fs/cgroup"));
    const int offered = bonus + (usual_place ? 2 : 0) + (shown == "/" ? 1 : 0);
    if (offered > score && is_directory(mapped)) {
      *this = {offered, mapped, shown};
    }
  }
};

}  // namespace

std::vector<MountInfo> parse_mountinfo(std::string_view text) {
  std::vector<MountInfo> mounts;
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    for (int skipped = 0; skipped < 3; ++skipped) {
      take_until(line, ' ');  // mount id, parent id, device
    }
    MountInfo mount;
    mount.root = unescape_octal(take_until(line, ' '));
    mount.mount_point = unescape_octal(take_until(line, ' '));
    const std::size_t dash = line.find(" - ");  // any number of optional fields before it
    if (dash == std::string_view::npos || !mount.mount_point.starts_with('/')) {
      continue;
    }
    line.remove_prefix(dash + 3);
    mount.type = take_until(line, ' ');
    take_until(line, ' ');  // device name
    mount.super_options = line;
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

int parse_v1_hierarchy(std::string_view text) {
  int cpu = 0;
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    const std::string_view number = take_until(line, ':');
    const std::string_view controllers = take_until(line, ':');
    int id = 0;
    std::from_chars(number.data(), number.data() + number.size(), id);
    if (has_option(controllers, "cpuacct")) {
      return id;
    }
    if (has_option(controllers, "cpu")) {
      cpu = id;
    }
  }
  return cpu;
}

CgroupMount find_cgroup_mount(const SysRoot& root) {
  const auto text = read_file(root.proc("self/mountinfo"));
  BestMount v2;
  BestMount v1;
  for (const MountInfo& mount : parse_mountinfo(text ? *text : std::string_view())) {
    if (mount.type == "cgroup2") {
      v2.offer(root, mount, 0);
    } else if (mount.type == "cgroup" && has_option(mount.super_options, "cpuacct")) {
      v1.offer(root, mount, 4);
    } else if (mount.type == "cgroup" && has_option(mount.super_options, "cpu")) {
      v1.offer(root, mount, 0);
    }
  }
  if (v2.score >= 0) {
    const auto hierarchy = v1.score >= 0 ? CgroupHierarchy::kHybrid : CgroupHierarchy::kV2;
    return {hierarchy, v2.directory, v2.root, 0};
  }
  if (v1.score >= 0) {
    const auto own = read_file(root.proc("self/cgroup"));
    return {CgroupHierarchy::kV1, v1.directory, v1.root, own ? parse_v1_hierarchy(*own) : 0};
  }
  return {};
}

}  // namespace powertrace
