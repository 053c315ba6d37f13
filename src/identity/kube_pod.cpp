// SPDX-License-Identifier: Apache-2.0
#include "identity/kube_pod.hpp"

#include <algorithm>
#include <array>

#include "identity/json_filter.hpp"

namespace powertrace {
namespace {

using json_filter::Json;
using json_filter::member;
using json_filter::text;

constexpr std::size_t kMaxMessage = 200;
// Limits of Kubernetes itself; a hostile answer must not fill memory with labels.
constexpr std::size_t kMaxLabelValue = 63;
constexpr std::size_t kMaxOwnText = 253;

std::string bounded(std::string value, std::size_t limit) {
  value.resize(std::min(value.size(), limit));
  return value;
}

// In an object at this depth, a pod keeps metadata (less managedFields) and status.
bool keep_of_pod(int depth, int pod_depth, std::string_view key) {
  if (depth == pod_depth) {
    return key == "metadata" || key == "status";
  }
  if (depth == pod_depth + 1) {
    constexpr std::array<std::string_view, 10> kKept{"name",
                                                     "namespace",
                                                     "uid",
                                                     "labels",
                                                     "annotations",
                                                     "ownerReferences",
                                                     "resourceVersion",
                                                     "containerStatuses",
                                                     "initContainerStatuses",
                                                     "ephemeralContainerStatuses"};
    return std::find(kKept.begin(), kKept.end(), key) != kKept.end();
  }
  // Of annotations only the static pod's hash matters; others may be long.
  return depth > pod_depth + 2 || key.find("kubectl.kubernetes.io/") != 0;
}

std::string_view runtime_name(std::string_view scheme) {
  return scheme == "cri-o" || scheme == "docker" || scheme == "containerd" ? scheme : "";
}

void add_containers(const Json& statuses, std::vector<KubeContainer>& containers) {
  if (!statuses.is_array()) {
    return;
  }
  for (const Json& status : statuses) {
    const std::string id = text(status, "containerID");  // "containerd://0123..."
    const std::size_t at = id.find("://");
    if (at != std::string::npos && at + 3 < id.size() && id.size() <= kMaxOwnText) {
      containers.push_back({id.substr(at + 3), bounded(text(status, "name"), kMaxOwnText),
                            std::string(runtime_name(std::string_view(id).substr(0, at)))});
    }
  }
}

std::pair<std::string, std::string> owner_of(const Json& metadata) {
  const Json& owners = member(metadata, "ownerReferences");
  if (!owners.is_array()) {
    return {};
  }
  for (const Json& owner : owners) {
    const Json& controller = member(owner, "controller");
    if (controller.is_boolean() && controller.get<bool>()) {
      return resolve_owner(bounded(text(owner, "kind"), kMaxOwnText),
                           bounded(text(owner, "name"), kMaxOwnText),
                           text(member(metadata, "labels"), "pod-template-hash"));
    }
  }
  return {};
}

std::vector<std::pair<std::string, std::string>> chosen_labels(const Json& labels,
                                                               const PodLabels& wanted) {
  std::vector<std::pair<std::string, std::string>> chosen;
  const bool all = std::find(wanted.begin(), wanted.end(), "*") != wanted.end();
  if (labels.is_object()) {
    for (const auto& [name, value] : labels.items()) {
      if (value.is_string() &&
          (all || std::find(wanted.begin(), wanted.end(), name) != wanted.end())) {
        chosen.emplace_back(name, bounded(value.get<std::string>(), kMaxLabelValue));
      }
    }
  }
  return chosen;
}

// A pod without name or uid has an identity without them.
KubePod pod_of(const Json& json, const PodLabels& labels) {
  const Json& metadata = member(json, "metadata");
  PodIdentity identity;
  identity.uid = bounded(text(metadata, "uid"), kMaxOwnText);
  identity.name = bounded(text(metadata, "name"), kMaxOwnText);
  identity.name_space = bounded(text(metadata, "namespace"), kMaxOwnText);
  std::tie(identity.owner_kind, identity.owner_name) = owner_of(metadata);
  identity.labels = chosen_labels(member(metadata, "labels"), labels);
  KubePod pod;
  pod.resource_version = text(metadata, "resourceVersion");
  const std::string hash = text(member(metadata, "annotations"), "kubernetes.io/config.hash");
  pod.path_uid = hash.empty() ? identity.uid : bounded(hash, kMaxOwnText);
  const Json& status = member(json, "status");
  for (const char* kind :
       {"containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"}) {
    add_containers(member(status, kind), pod.containers);
  }
  pod.identity = std::make_shared<const PodIdentity>(std::move(identity));
  return pod;
}

bool all_digits(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::pair<std::string, std::string> resolve_owner(std::string_view kind,
                                                  std::string_view name,
                                                  std::string_view template_hash) {
  constexpr std::size_t kMinutesDigits = 8;
  const std::size_t dash = name.rfind('-');
  if (dash != std::string_view::npos && dash > 0) {
    const std::string_view end = name.substr(dash + 1);
    if (kind == "ReplicaSet" && !template_hash.empty() && end == template_hash) {
      return {"Deployment", std::string(name.substr(0, dash))};
    }
    if (kind == "Job" && end.size() >= kMinutesDigits && all_digits(end)) {
      return {"CronJob", std::string(name.substr(0, dash))};
    }
  }
  return {std::string(kind), std::string(name)};
}

Result<KubePodList> parse_pod_list(std::string_view json, const PodLabels& labels) {
  constexpr int kPodDepth = 3;  // list, items, pod
  const auto keep = [](int depth, std::string_view key) {
    if (depth == 1) {
      return key == "kind" || key == "metadata" || key == "items";
    }
    return depth < kPodDepth || keep_of_pod(depth, kPodDepth, key);
  };
  PT_ASSIGN(const Json list, json_filter::parse(json, keep));
  const Json& items = member(list, "items");
  // An empty list comes as null from some.
  if (text(list, "kind") != "PodList" || !(items.is_array() || items.is_null())) {
    return fail(ErrorCode::kMalformed, "this is no list of pods");
  }
  KubePodList result;
  result.resource_version = text(member(list, "metadata"), "resourceVersion");
  result.next = text(member(list, "metadata"), "continue");
  for (const Json& item : items.is_array() ? items : Json::array()) {
    KubePod pod = pod_of(item, labels);
    if (!pod.identity->uid.empty() && !pod.identity->name.empty()) {
      result.pods.push_back(std::move(pod));
    }
  }
  return result;
}

Result<WatchEvent> parse_watch_event(std::string_view json, const PodLabels& labels) {
  constexpr int kPodDepth = 2;  // event, pod
  const auto keep = [](int depth, std::string_view key) {
    return depth < kPodDepth || keep_of_pod(depth, kPodDepth, key) ||
           (depth == kPodDepth && (key == "code" || key == "message"));
  };
  PT_ASSIGN(const Json line, json_filter::parse(json, keep));
  const std::string type = text(line, "type");
  const Json& object = member(line, "object");
  WatchEvent event;
  if (type == "ERROR") {
    event.type = WatchEventType::kError;
    const Json& code = member(object, "code");
    event.code = code.is_number_integer() ? code.get<int>() : 0;
    event.message = bounded(text(object, "message"), kMaxMessage);
    return event;
  }
  event.pod = pod_of(object, labels);
  event.resource_version = event.pod.resource_version;
  if (type == "BOOKMARK") {
    return event;
  }
  if (type != "ADDED" && type != "MODIFIED" && type != "DELETED") {
    return fail(ErrorCode::kMalformed, "\"{}\" is no type of watch event",
                bounded(type, kMaxMessage));
  }
  if (event.pod.identity->uid.empty()) {
    return fail(ErrorCode::kMalformed, "a watch event about a pod without uid");
  }
  event.type = type == "DELETED" ? WatchEventType::kDeleted : WatchEventType::kChanged;
  return event;
}

std::string parse_status_message(std::string_view json) {
  const auto status = json_filter::parse(json, [](int depth, std::string_view key) {
    return depth == 1 && (key == "kind" || key == "message");
  });
  if (!status || text(*status, "kind") != "Status") {
    return {};
  }
  std::string message = bounded(text(*status, "message"), kMaxMessage);
  std::replace_if(
      message.begin(), message.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; },
      ' ');
  return message;
}

}  // namespace powertrace
