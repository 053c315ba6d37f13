// SPDX-License-Identifier: Apache-2.0
#include "identity/cgroup_tree.hpp"

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>
#include <deque>
#include <linux/magic.h>
#include <string>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "identity/container_path.hpp"
#include "identity/vm.hpp"

namespace powertrace {
namespace {

constexpr std::uint64_t kRootId = 1;     // kernfs numbers its root first, in every hierarchy
constexpr int kFileHandleKernfs = 0xfe;  // FILEID_KERNFS: the 8-byte id is the whole handle

std::string_view without_deleted(std::string_view path) {
  constexpr std::string_view kDeleted = " (deleted)";
  path.remove_suffix(path.ends_with(kDeleted) ? kDeleted.size() : 0);
  return path;
}

// Where an open directory is; empty if the system does not say.
std::string path_of(int fd) {
  std::array<char, PATH_MAX> target{};
  const std::string link = fmt::format("/proc/self/fd/{}", fd);
  const ssize_t length = ::readlink(link.c_str(), target.data(), target.size());
  const std::string_view path(target.data(), static_cast<std::size_t>(length > 0 ? length : 0));
  return std::string(without_deleted(path));
}

// From the root of the hierarchy. A directory outside the part that is mounted (a cgroup namespace,
// a bind mount) can be opened by its handle, but the kernel has no path for it: empty.
std::string path_in_hierarchy(std::string path, const CgroupMount& mount) {
  const std::size_t length = mount.directory.size();
  if (!path.starts_with(mount.directory) || (path.size() > length && path[length] != '/')) {
    return {};
  }
  path.replace(0, length, mount.root == "/" ? std::string_view() : mount.root);
  return path.empty() ? "/" : path;
}

}  // namespace

CgroupTree::CgroupTree(const SysRoot& root, Options options)
    : options_(std::move(options)), proc_(root), mount_(find_cgroup_mount(root)) {
  if (mount_.hierarchy == CgroupHierarchy::kNone) {
    return;
  }
  mount_fd_.reset(::open(mount_.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (const std::string real = path_of(mount_fd_.get()); !real.empty()) {
    mount_.directory = real;  // without symbolic links, as handles are resolved
  }
  struct statfs fs {};
  handles_ = options_.use_handles && mount_fd_.valid() && ::fstatfs(mount_fd_.get(), &fs) == 0 &&
             (fs.f_type == CGROUP2_SUPER_MAGIC || fs.f_type == CGROUP_SUPER_MAGIC);
}

bool CgroupTree::is_resolved(std::uint64_t id) const {
  const auto known = by_id_.find(id);
  return known != by_id_.end() && known->second->retry_at_ns == 0;
}

std::shared_ptr<const CgroupIdentity> CgroupTree::find(std::uint64_t id, std::uint32_t tgid) {
  const auto known = by_id_.find(id);
  if (known == by_id_.end() && id == kRootId) {
    return store(id, "/").identity;
  }
  if (known != by_id_.end()) {
    entries_.splice(entries_.begin(), entries_, known->second);
  }
  if (!is_resolved(id)) {
    const std::uint64_t now = monotonic_ns();
    if (known == by_id_.end() || now >= known->second->retry_at_ns) {
      resolve(id, tgid, now);
    }
  }
  Entry& entry = *by_id_.find(id)->second;
  if (entry.names_seen != names_version_) {
    name(entry);
  }
  return entry.identity;
}

void CgroupTree::refresh_names() {
  std::vector<std::shared_ptr<const NameTable>> tables;
  for (const auto& source : options_.names) {
    tables.push_back(source->table());
  }
  if (tables != tables_) {
    tables_ = std::move(tables);
    ++names_version_;
  }
}

void CgroupTree::name(Entry& entry) const {
  entry.names_seen = names_version_;
  if (!entry.identity->container) {
    return;
  }
  auto named = std::make_shared<CgroupIdentity>(*entry.identity);
  for (const auto& table : tables_) {
    named->container = with_names(std::move(*named->container), *table);
  }
  if (named->container != entry.identity->container) {
    entry.identity = std::move(named);
  }
}

void CgroupTree::set_vm(std::uint64_t id, std::shared_ptr<const VmIdentity> vm) {
  if (const auto known = by_id_.find(id); known != by_id_.end()) {
    auto identity = std::make_shared<CgroupIdentity>(*known->second->identity);
    identity->vm = std::move(vm);
    known->second->identity = std::move(identity);
  }
}

// Leaves an entry for the id in any case.
void CgroupTree::resolve(std::uint64_t id, std::uint32_t tgid, std::uint64_t now_ns) {
  if (id != 0 && !resolve_by_handle(id)) {
    if (!handles_ && now_ns >= next_walk_ns_) {
      walk();
      next_walk_ns_ = now_ns + options_.retry_ns;
    }
    if (tgid != 0 && !is_resolved(id)) {
      resolve_by_process(id, tgid);
    }
  }
  if (!is_resolved(id)) {
    store(id, {}).retry_at_ns = std::max<std::uint64_t>(1, now_ns + options_.retry_ns);
  }
}

void CgroupTree::learn(std::uint64_t id, std::string_view path, bool complete) {
  if (id != 0 && path.starts_with('/') && !is_resolved(id) &&
      (complete || !resolve_by_handle(id))) {
    store(id, path);
  }
}

// An empty path stands for an id that could not be resolved.
CgroupTree::Entry& CgroupTree::store(std::uint64_t id, std::string_view path) {
  auto identity = std::make_shared<CgroupIdentity>();
  identity->id = id;
  identity->path = path.empty() ? fmt::format("[cgroup {}]", id) : std::string(path);
  identity->container = parse_container(path);
  if (auto vm = parse_vm_scope(path)) {
    identity->vm = std::make_shared<const VmIdentity>(std::move(*vm));
  }
  if (identity->container) {
    for (const auto& source : options_.names) {
      source->want(*identity->container);
    }
  }
  const auto [at, inserted] = by_id_.try_emplace(id);
  if (inserted) {
    entries_.emplace_front();
    at->second = entries_.begin();
  }
  Entry& entry = *at->second;
  entry = {std::move(identity), 0, 0};
  while (entries_.size() > options_.max_cached && entries_.size() > 1) {
    by_id_.erase(entries_.back().identity->id);
    entries_.pop_back();
  }
  return entry;
}

bool CgroupTree::resolve_by_handle(std::uint64_t id) {
  if (!handles_) {
    return false;
  }
  // file_handle ends in a flexible array; the union gives it its 8 bytes.
  union {
    file_handle handle;
    std::array<char, sizeof(file_handle) + sizeof(id)> space;
  } request{};
  request.handle.handle_bytes = sizeof(id);
  request.handle.handle_type = kFileHandleKernfs;
  std::memcpy(request.handle.f_handle, &id, sizeof(id));
  const UniqueFd fd(
      ::open_by_handle_at(mount_fd_.get(), &request.handle, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) {
    if (errno == EPERM || errno == EACCES || errno == EOPNOTSUPP || errno == ENOSYS) {
      log_debug("cgroup ids are resolved by walking {}: open_by_handle_at: {}", mount_.directory,
                std::strerror(errno));
      handles_ = false;
    }
    return false;
  }
  const std::string path = path_in_hierarchy(path_of(fd.get()), mount_);
  if (!path.empty()) {
    store(id, path);
  }
  return !path.empty();
}

// For a cgroup outside what is mounted. A process that is now in one that is mounted has moved, and
// tells nothing.
void CgroupTree::resolve_by_process(std::uint64_t id, std::uint32_t tgid) {
  const auto path = proc_.read_cgroup(tgid, mount_.hierarchy == CgroupHierarchy::kV1);
  struct stat status {};
  const bool mounted = path && !mount_.directory.empty() && !path->starts_with("/..") &&
                       ::stat((mount_.directory + *path).c_str(), &status) == 0;
  if (path && !mounted) {
    learn(id, *path);
  }
}

// In cgroup file systems d_ino is the id, so a walk needs no stat. Breadth first, so that the limit
// cuts the deepest.
void CgroupTree::walk() {
  if (!mount_fd_.valid()) {
    return;
  }
  const std::string root = mount_.root == "/" ? std::string() : mount_.root;
  std::deque<std::string> pending{""};  // relative to the mount point
  std::size_t looked_at = 0;
  struct stat status {};
  if (::fstat(mount_fd_.get(), &status) == 0) {
    learn(status.st_ino, root.empty() ? "/" : root);
  }
  while (!pending.empty() && looked_at < options_.max_walk) {
    const std::string relative = std::move(pending.front());
    pending.pop_front();
    DIR* dir = ::opendir((mount_.directory + relative).c_str());
    while (dir != nullptr && looked_at < options_.max_walk) {
      const dirent* child = ::readdir(dir);
      if (child == nullptr) {
        break;
      }
      const std::string_view name = child->d_name;
      if (child->d_type != DT_DIR || name == "." || name == "..") {
        continue;
      }
      ++looked_at;
      pending.push_back(relative + "/" + std::string(name));
      learn(child->d_ino, root + pending.back());
    }
    if (dir != nullptr) {
      ::closedir(dir);
    }
  }
}

}  // namespace powertrace
