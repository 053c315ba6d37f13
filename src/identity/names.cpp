// SPDX-License-Identifier: Apache-2.0
#include "identity/names.hpp"

namespace powertrace {

ContainerIdentity with_names(ContainerIdentity container, const NameTable& table) {
  std::shared_ptr<const PodIdentity> pod;
  if (const auto found = table.containers.find(container.id); found != table.containers.end()) {
    const ContainerName& known = found->second;
    container.name = known.name.empty() ? container.name : known.name;
    // A path may say only that somebody runs it, or that Kubernetes does.
    if (container.runtime == "kubernetes" || container.runtime == "unknown") {
      container.runtime = known.runtime.empty() ? container.runtime : known.runtime;
    }
    pod = known.pod;
  }
  if (const auto found = pod ? table.pods.end() : table.pods.find(container.pod_uid);
      found != table.pods.end()) {
    pod = found->second;
  }
  if (pod && (table.from_cluster || !container.pod)) {
    container.pod = std::move(pod);
  }
  if (container.pod_uid.empty() && container.pod) {
    container.pod_uid = container.pod->uid;
  }
  return container;
}

}  // namespace powertrace
