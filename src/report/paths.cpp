// SPDX-License-Identifier: Apache-2.0
#include "report/paths.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <unordered_map>
#include <utility>

namespace powertrace::report {
namespace {

constexpr std::size_t kShortContainerId = 12;

using Ids = std::vector<std::uint32_t>;

struct IdsHash {
  std::size_t operator()(const Ids& ids) const noexcept {
    std::size_t hash = ids.size();
    for (const std::uint32_t id : ids) {
      hash = (hash ^ id) * 0x9E3779B97F4A7C15ULL;
      hash ^= hash >> 29U;
    }
    return hash;
  }
};

// Gives numbers to equal things, in the order of their first appearance.
template <typename Key, typename Hash = std::hash<Key>>
class Numbering {
 public:
  std::uint32_t id(const Key& key) {
    const auto [at, added] = ids_.try_emplace(key, static_cast<std::uint32_t>(list_.size()));
    if (added) {
      list_.push_back(&at->first);
    }
    return at->second;
  }
  [[nodiscard]] const Key& operator[](std::uint32_t id) const { return *list_[id]; }
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(list_.size()); }

 private:
  std::unordered_map<Key, std::uint32_t, Hash> ids_;
  std::vector<const Key*> list_;
};

using Names = Numbering<std::string>;

Ids subject_path(const Subject& subject, Names& names) {
  if (!subject.selected) {
    return {names.id("[others]")};
  }
  Ids path;
  const auto& container = subject.cgroup->identity->container;
  if (container && container->pod && !container->pod->name.empty()) {
    path.push_back(names.id(container->pod->name_space + "/" + container->pod->name));
  }
  if (container) {
    path.push_back(names.id(container->name.empty() ? container->id.substr(0, kShortContainerId)
                                                    : container->name));
  }
  path.push_back(names.id(std::string(comm_view(subject.comm))));
  return path;
}

// Sorts names and paths, and makes the numbers in `paths` those of the sorted names.
Paths sorted(const Names& names, std::vector<Path> paths) {
  std::vector<std::uint32_t> order(names.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return names[a] < names[b]; });
  std::vector<std::uint32_t> rank(order.size());
  Paths result;
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    rank[order[i]] = i;
    result.names.push_back(names[order[i]]);
  }
  for (Path& path : paths) {
    for (std::uint32_t& name : path.names) {
      name = rank[name];
    }
  }
  std::sort(paths.begin(), paths.end(),
            [](const Path& a, const Path& b) { return a.names < b.names; });
  result.paths = std::move(paths);
  return result;
}

}  // namespace

Paths path_energies(const Profile& profile) {
  Names names;
  Numbering<Ids, IdsHash> prefixes;
  Numbering<Ids, IdsHash> stacks;
  std::vector<std::uint32_t> function_names;
  for (const Function& function : profile.functions) {
    function_names.push_back(names.id(function.name));
  }
  std::vector<std::uint32_t> by_stack;
  for (const std::vector<std::size_t>& stack : profile.stacks) {
    Ids ids;
    for (const std::size_t function : stack) {
      ids.push_back(function_names[function]);
    }
    by_stack.push_back(stacks.id(ids));
  }
  std::vector<std::uint32_t> by_subject;
  for (const Subject& subject : profile.subjects) {
    by_subject.push_back(prefixes.id(subject_path(subject, names)));
  }
  const std::uint32_t nothing = stacks.id({});
  std::unordered_map<std::uint64_t, std::int64_t> energies;  // by prefix and stack
  const auto add = [&](std::uint32_t prefix, std::uint32_t stack, std::int64_t energy_nj) {
    energies[std::uint64_t{prefix} << 32U | stack] += energy_nj;
  };
  for (const StackEnergy& cell : profile.cells) {
    add(by_subject[cell.subject],
        profile.subjects[cell.subject].selected ? by_stack[cell.stack] : nothing, cell.energy_nj);
  }
  add(prefixes.id({names.id("[idle]")}), nothing, profile.idle_nj);
  add(prefixes.id({names.id("[unattributed]")}), nothing, profile.unattributed_nj);
  std::vector<Path> paths;
  for (const auto& [key, energy_nj] : energies) {
    Path path{prefixes[static_cast<std::uint32_t>(key >> 32U)], energy_nj};
    const Ids& stack = stacks[static_cast<std::uint32_t>(key)];
    path.names.insert(path.names.end(), stack.begin(), stack.end());
    paths.push_back(std::move(path));
  }
  return sorted(names, std::move(paths));
}

}  // namespace powertrace::report
