// SPDX-License-Identifier: Apache-2.0
#include "identity/name_sources.hpp"

#include "identity/runtime_names.hpp"

namespace powertrace {

NameSources open_name_sources(const NamesConfig& config) {
  NameSources sources;
  sources.all.push_back(std::make_shared<RuntimeNames>(config.host_root));
  if (config.kube.mode != KubeMode::kOff) {
    auto kube = std::make_shared<KubeNames>(config.kube);
    sources.kube = kube;
    sources.all.push_back(std::move(kube));
  }
  return sources;
}

}  // namespace powertrace
