// SPDX-License-Identifier: Apache-2.0
#include "serve/connections.hpp"

#include <algorithm>
#include <chrono>
#include <sys/socket.h>

#include "base/clock.hpp"

namespace powertrace {

Connections::Connections(std::uint64_t deadline_ns)
    : deadline_ns_(deadline_ns), thread_([this] { run(); }) {}

Connections::~Connections() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Connections::opened(int fd) {
  const std::lock_guard lock(mutex_);
  since_ns_[fd] = monotonic_ns();
}

void Connections::answered(int fd) {
  const std::lock_guard lock(mutex_);
  if (const auto at = since_ns_.find(fd); at != since_ns_.end()) {
    at->second = monotonic_ns();
  }
}

void Connections::closed(int fd) {
  const std::lock_guard lock(mutex_);
  since_ns_.erase(fd);
}

void Connections::expire() {
  const std::uint64_t now_ns = monotonic_ns();
  for (auto& [fd, since_ns] : since_ns_) {
    if (now_ns - since_ns > deadline_ns_) {
      // Its thread sees the end of the connection and closes it.
      ::shutdown(fd, SHUT_RDWR);
      since_ns = now_ns;
      ++expired_;
    }
  }
}

void Connections::run() {
  const std::chrono::nanoseconds pause(
      std::clamp<std::uint64_t>(deadline_ns_ / 4, 10'000'000, 1'000'000'000));
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, pause, [this] { return stopping_; })) {
    expire();
  }
}

}  // namespace powertrace
