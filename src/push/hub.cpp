// SPDX-License-Identifier: Apache-2.0
#include "push/hub.hpp"

#include <utility>

namespace powertrace {
namespace {

constexpr std::size_t kMostSnapshots = 60;

}  // namespace

PushHub::PushHub(BatchFolder folder, std::vector<std::unique_ptr<Sink>> sinks)
    : folder_(std::move(folder)) {
  for (std::unique_ptr<Sink>& sink : sinks) {
    runners_.push_back(std::make_unique<SinkRunner>(std::move(sink)));
  }
  thread_ = std::thread([this] { run(); });
}

PushHub::~PushHub() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void PushHub::add(SnapshotPtr snapshot) {
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= kMostSnapshots) {
      ++dropped_;
      return;
    }
    queue_.push_back(std::move(snapshot));
  }
  wake_.notify_one();
}

std::vector<SinkStats> PushHub::stats() const {
  std::vector<SinkStats> all;
  for (const auto& runner : runners_) {
    all.push_back(runner->stats());
  }
  return all;
}

void PushHub::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    const bool last = queue_.empty();
    const SnapshotPtr snapshot = last ? nullptr : std::move(queue_.front());
    if (!last) {
      queue_.pop_front();
    }
    lock.unlock();
    if (!last) {
      folder_.add(*snapshot);
    }
    if (const PushBatchPtr batch = folder_.take(last)) {
      for (const auto& runner : runners_) {
        runner->add(batch);
      }
    }
    if (last) {
      return;
    }
    lock.lock();
  }
}

}  // namespace powertrace
