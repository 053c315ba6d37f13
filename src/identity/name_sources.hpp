// SPDX-License-Identifier: Apache-2.0
//
// Which sources of container and pod names a pipeline has.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "identity/kube_names.hpp"
#include "identity/names.hpp"

namespace powertrace {

struct NamesConfig {
  std::string host_root = "/";  // where the host's /run and /var are
  KubeOptions kube;             // complete
};

struct NameSources {
  std::vector<std::shared_ptr<NameSource>> all;  // the last knows best
  std::shared_ptr<const KubeNames> kube;         // null: Kubernetes is not asked
};

NameSources open_name_sources(const NamesConfig& config);

}  // namespace powertrace
