// SPDX-License-Identifier: Apache-2.0
#include "identity/runtime_names.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <string_view>
#include <utility>

#include "base/clock.hpp"
#include "base/sysroot.hpp"
#include "identity/runtime_state.hpp"

namespace powertrace {
namespace {

constexpr std::size_t kMaxStateFile = std::size_t{1} << 20U;
constexpr std::size_t kMaxStorageList = std::size_t{16} << 20U;
constexpr std::size_t kMaxNamespaces = 16;
constexpr std::size_t kMaxWanted = 4096;
// The identities keep the names they got, so that the table only has to hand over the new ones.
constexpr std::size_t kMaxTable = 8192;

// A runtime writes its files about when the first process starts.
constexpr std::array<std::uint64_t, 3> kRetriesNs{1'000'000'000, 5'000'000'000, 30'000'000'000};

using Parser = std::optional<ContainerName> (*)(std::string_view);

std::optional<ContainerName> read_state(const std::string& path,
                                        Parser parse,
                                        const char* runtime) {
  const auto text = read_file(path, kMaxStateFile);
  auto container = text ? parse(*text) : std::nullopt;
  if (container && container->runtime.empty()) {
    container->runtime = runtime;
  }
  return container;
}

bool is_named(const std::optional<ContainerName>& container) {
  return container && !container->name.empty();
}

std::optional<ContainerName> read_containerd(const std::string& root, const std::string& id) {
  std::optional<ContainerName> found;
  for (const char* states :
       {"/run/containerd/runc/", "/run/containerd/io.containerd.runtime.v2.task/"}) {
    const bool runc = std::string_view(states).ends_with("runc/");
    auto spaces = list_dir(root + states).value_or(std::vector<std::string>{});
    spaces.resize(std::min(spaces.size(), kMaxNamespaces));
    for (const std::string& space : spaces) {
      const std::string directory = root + states + space + "/" + id;
      auto container = runc
                           ? read_state(directory + "/state.json", parse_runc_state, "containerd")
                           : read_state(directory + "/config.json", parse_oci_config, "containerd");
      if (container) {
        found = std::move(container);
      }
      if (is_named(found)) {
        return found;
      }
    }
  }
  return found;
}

// cri-o and podman share containers/storage; cri-o's annotations tell them apart.
std::optional<ContainerName> read_storage(const std::string& root, const std::string& id) {
  const std::string storage = root + "/var/lib/containers/storage/";
  for (const char* driver : {"overlay-containers", "vfs-containers"}) {
    auto container =
        read_state(storage + driver + "/" + id + "/userdata/config.json", parse_oci_config, "");
    if (is_named(container)) {
      container->runtime = "cri-o";
      return container;
    }
    const auto list = read_file(storage + driver + "/containers.json", kMaxStorageList);
    auto containers = parse_storage_list(list ? *list : "");
    if (const auto found = containers.find(id); found != containers.end()) {
      return std::move(found->second);
    }
  }
  return std::nullopt;
}

bool has_state_files(const ContainerIdentity& container) {
  return container.name.empty() && container.runtime != "lxc" &&
         container.runtime != "systemd-nspawn";
}

}  // namespace

std::optional<ContainerName> read_runtime_state(const std::string& host_root,
                                                const ContainerIdentity& container) {
  const std::string root = host_root == "/" ? "" : host_root;
  const std::string& id = container.id;
  const std::string& runtime = container.runtime;
  const bool any = runtime == "unknown" || runtime == "kubernetes";
  std::optional<ContainerName> found;
  if (any || runtime == "docker") {
    found = read_state(root + "/var/lib/docker/containers/" + id + "/config.v2.json",
                       parse_docker_config, "docker");
  }
  if (!is_named(found) && (any || runtime == "containerd")) {
    auto container_name = read_containerd(root, id);
    found = container_name ? std::move(container_name) : std::move(found);
  }
  if (!is_named(found) && (any || runtime == "podman" || runtime == "cri-o")) {
    auto container_name = read_storage(root, id);
    found = container_name ? std::move(container_name) : std::move(found);
  }
  if (!is_named(found) && any) {
    auto container_name =
        read_state(root + "/run/runc/" + id + "/state.json", parse_runc_state, "runc");
    found = container_name ? std::move(container_name) : std::move(found);
  }
  return found;
}

RuntimeNames::RuntimeNames(std::string host_root)
    : host_root_(std::move(host_root)), table_(std::make_shared<const NameTable>()) {}

RuntimeNames::~RuntimeNames() {
  thread_.request_stop();
}

void RuntimeNames::want(const ContainerIdentity& container) {
  if (!has_state_files(container)) {
    return;
  }
  const std::lock_guard lock(mutex_);
  if (wanted_.size() >= kMaxWanted) {
    return;
  }
  wanted_.push_front({container, 0, 0});
  if (!thread_.joinable()) {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  wake_.notify_one();
}

std::shared_ptr<const NameTable> RuntimeNames::table() const {
  return table_.load();
}

void RuntimeNames::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    look_up(take_due(stop));
  }
}

// Waits until there is something to look up.
std::vector<RuntimeNames::Wanted> RuntimeNames::take_due(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto is_due = [](const Wanted& wanted) { return wanted.due_ns <= monotonic_ns(); };
  const auto any_due = [&] { return std::any_of(wanted_.begin(), wanted_.end(), is_due); };
  while (!stop.stop_requested() && !any_due()) {
    std::uint64_t next_ns = monotonic_ns() + 3'600'000'000'000;
    for (const Wanted& wanted : wanted_) {
      next_ns = std::min(next_ns, wanted.due_ns);
    }
    const std::uint64_t now_ns = monotonic_ns();
    const std::uint64_t delay_ns = next_ns > now_ns ? next_ns - now_ns : 0;
    wake_.wait_for(lock, stop, std::chrono::nanoseconds(delay_ns), any_due);
  }
  std::vector<Wanted> due;
  const auto rest = std::stable_partition(wanted_.begin(), wanted_.end(),
                                          [&](const Wanted& wanted) { return !is_due(wanted); });
  due.assign(std::make_move_iterator(rest), std::make_move_iterator(wanted_.end()));
  wanted_.erase(rest, wanted_.end());
  return due;
}

void RuntimeNames::look_up(std::vector<Wanted> due) {
  TextMap<ContainerName> found;
  std::vector<Wanted> again;
  for (Wanted& wanted : due) {
    auto container = read_runtime_state(host_root_, wanted.container);
    const bool named = is_named(container);
    if (container) {
      found.insert_or_assign(wanted.container.id, std::move(*container));
    }
    if (!named && wanted.tries < kRetriesNs.size()) {
      wanted.due_ns = monotonic_ns() + kRetriesNs[wanted.tries++];
      again.push_back(std::move(wanted));
    }
  }
  publish(std::move(found));
  const std::lock_guard lock(mutex_);
  std::move(again.begin(), again.end(), std::back_inserter(wanted_));
}

void RuntimeNames::publish(TextMap<ContainerName> found) {
  if (found.empty()) {
    return;
  }
  auto table = std::make_shared<NameTable>();
  const auto known = table_.load();
  if (known->containers.size() + found.size() <= kMaxTable) {
    table->containers = known->containers;
  }
  for (auto& entry : found) {
    table->containers.insert_or_assign(entry.first, std::move(entry.second));
  }
  table_.store(std::move(table));
}

}  // namespace powertrace
