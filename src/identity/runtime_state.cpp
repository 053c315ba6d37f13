// SPDX-License-Identifier: Apache-2.0
#include "identity/runtime_state.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "identity/json_filter.hpp"

namespace powertrace {
namespace {

using json_filter::Json;

using Labels = TextMap<std::string>;

std::string first_of(const Labels& labels, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    if (const auto found = labels.find(key); found != labels.end() && !found->second.empty()) {
      return found->second;
    }
  }
  return {};
}

// The labels of dockershim, containerd's CRI, cri-o and nerdctl.
ContainerName from_labels(const Labels& labels) {
  ContainerName container;
  const std::string type =
      first_of(labels, {"io.kubernetes.cri.container-type", "io.kubernetes.cri-o.ContainerType",
                        "io.kubernetes.docker.type"});
  if (type == "sandbox" || type == "podsandbox") {
    container.name = kSandboxName;
  } else {
    container.name = first_of(labels, {"io.kubernetes.container.name",
                                       "io.kubernetes.cri.container-name", "nerdctl/name"});
  }
  PodIdentity pod;
  pod.uid = first_of(labels, {"io.kubernetes.pod.uid", "io.kubernetes.cri.sandbox-uid"});
  pod.name = first_of(labels, {"io.kubernetes.pod.name", "io.kubernetes.cri.sandbox-name"});
  pod.name_space =
      first_of(labels, {"io.kubernetes.pod.namespace", "io.kubernetes.cri.sandbox-namespace"});
  if (!pod.name.empty()) {
    container.pod = std::make_shared<const PodIdentity>(std::move(pod));
  }
  return container;
}

Labels object_labels(const Json& object) {
  Labels labels;
  if (object.is_object()) {
    for (const auto& [key, value] : object.items()) {
      if (value.is_string()) {
        labels.try_emplace(key, value.get<std::string>());
      }
    }
  }
  return labels;
}

// Only the members on one path, e.g. config -> labels.
Result<Json> parse_path(std::string_view text, std::initializer_list<std::string_view> path) {
  return json_filter::parse(text, [path](int depth, std::string_view key) {
    return depth < 1 || static_cast<std::size_t>(depth) > path.size() ||
           key == path.begin()[depth - 1];
  });
}

std::string_view without_slash(std::string_view name) {
  name.remove_prefix(name.starts_with('/') ? 1 : 0);
  return name;
}

}  // namespace

std::optional<ContainerName> parse_docker_config(std::string_view text) {
  const auto json = json_filter::parse(text, [](int depth, std::string_view key) {
    return depth == 1 ? key == "Name" || key == "Config" : depth > 2 || key == "Labels";
  });
  if (!json || !json->is_object()) {
    return std::nullopt;
  }
  ContainerName container = from_labels(
      object_labels(json_filter::member(json_filter::member(*json, "Config"), "Labels")));
  if (container.name.empty()) {
    container.name = without_slash(json_filter::text(*json, "Name"));
  }
  container.runtime = "docker";
  return container;
}

std::optional<ContainerName> parse_oci_config(std::string_view text) {
  const auto json = parse_path(text, {"annotations"});
  if (!json || !json->is_object()) {
    return std::nullopt;
  }
  return from_labels(object_labels(json_filter::member(*json, "annotations")));
}

std::optional<ContainerName> parse_runc_state(std::string_view text) {
  const auto json = parse_path(text, {"config", "labels"});
  if (!json || !json->is_object()) {
    return std::nullopt;
  }
  Labels labels;
  const Json& list = json_filter::member(json_filter::member(*json, "config"), "labels");
  for (const Json& entry : list.is_array() ? list : Json::array()) {
    if (entry.is_string()) {
      const auto& text_of = entry.get_ref<const std::string&>();
      const std::size_t at = text_of.find('=');
      if (at != std::string::npos) {
        labels.try_emplace(text_of.substr(0, at), text_of.substr(at + 1));
      }
    }
  }
  return from_labels(labels);
}

// podman: names = ["web"]. cri-o: names = ["k8s_web_pod_namespace_uid_0"], whose parts cannot be
// told apart for sure; its annotations can.
TextMap<ContainerName> parse_storage_list(std::string_view text) {
  TextMap<ContainerName> containers;
  const auto json = json_filter::parse(text, [](int depth, std::string_view key) {
    return depth > 2 || key == "id" || key == "names";
  });
  if (!json || !json->is_array()) {
    return containers;
  }
  for (const Json& entry : *json) {
    const Json& names = json_filter::member(entry, "names");
    if (!names.is_array() || names.empty() || !names.front().is_string()) {
      continue;
    }
    auto name = names.front().get<std::string>();
    if (!name.starts_with("k8s_")) {
      containers.try_emplace(json_filter::text(entry, "id"),
                             ContainerName{std::move(name), "podman", nullptr});
    }
  }
  return containers;
}

}  // namespace powertrace
