// SPDX-License-Identifier: Apache-2.0
//
// Names of containers and pods beyond what a cgroup path tells. A source finds them on a thread of
// its own, from files of the container runtime or from Kubernetes, and publishes immutable tables;
// the pipeline's thread reads those without waiting for anybody.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "model/identity.hpp"

namespace powertrace {

struct ContainerName {
  std::string name;                        // empty: not known
  std::string runtime;                     // empty: not known
  std::shared_ptr<const PodIdentity> pod;  // null: no pod, or not known
};

// cAdvisor's name for the container that only holds a pod's namespaces.
inline constexpr std::string_view kSandboxName = "POD";

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};
template <typename Value>
using TextMap = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

struct NameTable {
  TextMap<ContainerName> containers;                 // by container id
  TextMap<std::shared_ptr<const PodIdentity>> pods;  // by what cgroup paths call the pod
  bool from_cluster = false;  // its pods know owner and labels: better than what a runtime tells
};

class NameSource {
 public:
  virtual ~NameSource() = default;
  NameSource() = default;
  NameSource(const NameSource&) = delete;
  NameSource& operator=(const NameSource&) = delete;
  NameSource(NameSource&&) = delete;
  NameSource& operator=(NameSource&&) = delete;

  // A container has been seen for the first time. Any thread; only takes a note.
  virtual void want(const ContainerIdentity& container) = 0;
  // Never null. Any thread; does not block.
  [[nodiscard]] virtual std::shared_ptr<const NameTable> table() const = 0;
};

// `container` with what the table knows of it. What is known already stays when the table has
// forgotten it, as it does when a container is gone.
ContainerIdentity with_names(ContainerIdentity container, const NameTable& table);

}  // namespace powertrace
