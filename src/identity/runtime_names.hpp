// SPDX-License-Identifier: Apache-2.0
//
// Names from the state files of docker, containerd, nerdctl, cri-o, podman and runc, best effort:
// a file that cannot be read costs one name. Reads happen on a thread of its own, which starts with
// the first container; every file is bounded and looked at only a few times per container.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "identity/names.hpp"

namespace powertrace {

class RuntimeNames final : public NameSource {
 public:
  // `host_root`: where the host's file system is, "/" unless it is mounted elsewhere.
  explicit RuntimeNames(std::string host_root);
  ~RuntimeNames() override;
  RuntimeNames(const RuntimeNames&) = delete;
  RuntimeNames& operator=(const RuntimeNames&) = delete;
  RuntimeNames(RuntimeNames&&) = delete;
  RuntimeNames& operator=(RuntimeNames&&) = delete;

  void want(const ContainerIdentity& container) override;
  [[nodiscard]] std::shared_ptr<const NameTable> table() const override;

 private:
  struct Wanted {
    ContainerIdentity container;
    std::uint64_t due_ns = 0;
    std::size_t tries = 0;
  };

  void run(const std::stop_token& stop);
  [[nodiscard]] std::vector<Wanted> take_due(const std::stop_token& stop);
  void look_up(std::vector<Wanted> due);
  void publish(TextMap<ContainerName> found);

  std::string host_root_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<Wanted> wanted_;  // in the order they are due, nearly
  std::atomic<std::shared_ptr<const NameTable>> table_;
  std::jthread thread_;  // the last: it uses all of the above
};

// The files of one container, in the order they are worth a look. Also for tests.
std::optional<ContainerName> read_runtime_state(const std::string& host_root,
                                                const ContainerIdentity& container);

}  // namespace powertrace
