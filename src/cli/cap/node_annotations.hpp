// SPDX-License-Identifier: Apache-2.0
//
// Keeps annotations of one Kubernetes node in step with the controller, for those who read nodes
// and no metrics. Nothing depends on it: failures are logged and tried again with the next change.
// The requests run on a thread of their own.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "capping/status.hpp"

namespace powertrace {

enum class AnnotationNames : std::uint8_t {
  kPowertrace,  // powertrace.io/...
  kRapl,        // rapl/..., as the older power manager wrote them
};

struct NodeAnnotationsConfig {
  std::string node;
  std::string api_server;  // https://host:port
  std::string token_file;
  std::string ca_file;
  AnnotationNames names = AnnotationNames::kPowertrace;
};

// A JSON merge patch of the node's annotations.
std::string annotation_patch(const CapStatus& status, AnnotationNames names);

class NodeAnnotations {
 public:
  explicit NodeAnnotations(NodeAnnotationsConfig config);

  // Any thread; returns at once. Only the last of several waiting states is sent.
  void publish(const CapStatus& status);

  // The last word, within seconds; nothing is sent afterwards.
  void finish(const CapStatus& status);

 private:
  void run(const std::stop_token& stop);
  [[nodiscard]] bool send(std::string patch, const std::stop_token& stop) const;

  NodeAnnotationsConfig config_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<std::string> waiting_;
  std::string sent_;
  std::jthread thread_;  // last: ends before what it uses
};

}  // namespace powertrace
