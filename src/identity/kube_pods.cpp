// SPDX-License-Identifier: Apache-2.0
#include "identity/kube_pods.hpp"

#include <algorithm>
#include <utility>

namespace powertrace {

void KubePods::replace(std::vector<KubePod> pods) {
  pods_.clear();
  by_path_.clear();
  container_pods_.clear();
  for (KubePod& pod : pods) {
    change(std::move(pod));
  }
  std::erase_if(sandboxes_, [this](const auto& entry) { return !by_path_.contains(entry.second); });
}

void KubePods::change(KubePod pod) {
  const std::string uid = pod.identity->uid;
  const auto known = pods_.find(uid);
  if (known == pods_.end() && pods_.size() >= options_.max_pods) {
    return;
  }
  if (known != pods_.end()) {
    for (const KubeContainer& container : known->second.containers) {
      container_pods_.erase(container.id);
    }
  }
  by_path_.insert_or_assign(pod.path_uid, uid);
  for (const KubeContainer& container : pod.containers) {
    container_pods_.insert_or_assign(container.id, uid);
    sandboxes_.erase(container.id);
    wanted_.erase(container.id);
  }
  pods_.insert_or_assign(uid, std::move(pod));
}

void KubePods::remove(std::string_view uid) {
  const auto known = pods_.find(uid);
  if (known == pods_.end()) {
    return;
  }
  for (const KubeContainer& container : known->second.containers) {
    container_pods_.erase(container.id);
  }
  by_path_.erase(known->second.path_uid);
  std::erase_if(sandboxes_,
                [&](const auto& entry) { return entry.second == known->second.path_uid; });
  pods_.erase(known);
}

void KubePods::want(const ContainerIdentity& container, std::uint64_t now_ns) {
  if (!container.pod_uid.empty() && !container_pods_.contains(container.id) &&
      !sandboxes_.contains(container.id) && wanted_.size() < options_.max_wanted) {
    wanted_.try_emplace(container.id, Wanted{container.pod_uid, now_ns, now_ns, 0});
  }
}

std::uint64_t KubePods::next_ask_ns() const {
  std::uint64_t next_ns = ~std::uint64_t{0};
  for (const auto& [id, wanted] : wanted_) {
    next_ns = std::min(next_ns, wanted.next_ns);
  }
  return next_ns;
}

void KubePods::asked(std::uint64_t now_ns) {
  for (auto& [id, wanted] : wanted_) {
    if (wanted.next_ns <= now_ns) {
      wanted.next_ns = now_ns + (options_.first_retry_ns << wanted.asks);
      ++wanted.asks;
    }
  }
  std::erase_if(wanted_, [&](const auto& entry) { return entry.second.asks > options_.max_asks; });
}

void KubePods::settle_sandboxes(std::uint64_t now_ns) {
  std::erase_if(wanted_, [&](const auto& entry) {
    const auto& [id, wanted] = entry;
    const bool sandbox =
        by_path_.contains(wanted.pod_uid) && now_ns >= wanted.since_ns + options_.sandbox_after_ns;
    if (sandbox) {
      sandboxes_.insert_or_assign(id, wanted.pod_uid);
    }
    return sandbox;
  });
}

std::shared_ptr<const NameTable> KubePods::table(std::uint64_t now_ns) {
  settle_sandboxes(now_ns);
  auto table = std::make_shared<NameTable>();
  table->from_cluster = true;
  table->pods.reserve(pods_.size());
  table->containers.reserve(container_pods_.size() + sandboxes_.size());
  for (const auto& [uid, pod] : pods_) {
    table->pods.insert_or_assign(pod.path_uid, pod.identity);
    for (const KubeContainer& container : pod.containers) {
      table->containers.insert_or_assign(
          container.id, ContainerName{container.name, container.runtime, pod.identity});
    }
  }
  for (const auto& [id, path_uid] : sandboxes_) {
    if (const auto pod = table->pods.find(path_uid); pod != table->pods.end()) {
      table->containers.try_emplace(id, ContainerName{std::string(kSandboxName), "", pod->second});
    }
  }
  return table;
}

}  // namespace powertrace
