// SPDX-License-Identifier: Apache-2.0
//
// What Kubernetes answers about pods: lists (API server and kubelet) and watch events. Pure; any
// bytes are fine, and of what is not needed (spec, managed fields) nothing is kept.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "model/identity.hpp"

namespace powertrace {

struct KubeContainer {
  std::string id;
  std::string name;
  std::string runtime;  // "containerd", "cri-o", "docker"
};

struct KubePod {
  std::shared_ptr<const PodIdentity> identity;  // never null
  std::string path_uid;  // what cgroup paths call it; of a static pod that is the hash of its file
  std::string resource_version;
  std::vector<KubeContainer> containers;  // those that were started, init and ephemeral ones too
};

struct KubePodList {
  std::vector<KubePod> pods;
  std::string resource_version;  // where a watch goes on from
  std::string next;              // where the next page goes on from; empty: this was the last
};

enum class WatchEventType { kChanged, kDeleted, kBookmark, kError };

struct WatchEvent {
  WatchEventType type = WatchEventType::kBookmark;
  KubePod pod;                   // kChanged, kDeleted
  std::string resource_version;  // all but kError
  int code = 0;                  // kError: as an HTTP status, 410 if the version is too old
  std::string message;           // kError
};

// Labels to keep, by name; "*" keeps all.
using PodLabels = std::vector<std::string>;

// A pod without name or uid is left out; anything else that is not a list of pods is kMalformed.
Result<KubePodList> parse_pod_list(std::string_view json, const PodLabels& labels);

// One line of a watch.
Result<WatchEvent> parse_watch_event(std::string_view json, const PodLabels& labels);

// The message of an answer of kind Status, on one line and not too long; else empty.
std::string parse_status_message(std::string_view json);

// Who is behind the direct owner of a pod: a ReplicaSet called "<name>-<pod-template-hash>" is a
// Deployment's, a Job called "<name>-<minutes since 1970>" a CronJob's.
std::pair<std::string, std::string> resolve_owner(std::string_view kind,
                                                  std::string_view name,
                                                  std::string_view template_hash);

}  // namespace powertrace
