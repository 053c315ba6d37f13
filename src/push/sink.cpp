// SPDX-License-Identifier: Apache-2.0
#include "push/sink.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log.hpp"

namespace powertrace {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kFirstPause{500};
constexpr milliseconds kLongestPause{30'000};

}  // namespace

SinkRunner::SinkRunner(std::unique_ptr<Sink> sink, std::size_t capacity)
    : sink_(std::move(sink)), capacity_(capacity), thread_([this] { run(); }) {}

SinkRunner::~SinkRunner() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void SinkRunner::add(PushBatchPtr batch) {
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= capacity_) {
      queue_.pop_front();
      ++dropped_;
    }
    queue_.push_back(std::move(batch));
  }
  wake_.notify_one();
}

SinkStats SinkRunner::stats() const {
  const std::lock_guard lock(mutex_);
  return {sink_->name(), sent_, dropped_, failures_, queue_.size()};
}

bool SinkRunner::attempt(const PushBatch& batch) {
  const Status status = sink_->send(batch);
  if (status) {
    ++sent_;
    if (std::exchange(failing_, false)) {
      log_info("{}: it answers again", sink_->name());
    }
    return true;
  }
  ++failures_;
  const bool again = status.error().code == ErrorCode::kBusy;
  if (!std::exchange(failing_, true)) {
    log_warn("{}: {}; {}", sink_->name(), status.error().message,
             again ? "it is tried again, the oldest batches are dropped when the queue is full"
                   : "the batch is dropped");
  }
  dropped_ += again ? 0 : 1;
  return !again;
}

void SinkRunner::run() {
  milliseconds pause{0};
  std::unique_lock lock(mutex_);
  while (true) {
    if (pause.count() > 0) {
      wake_.wait_for(lock, pause, [this] { return stopping_; });
    } else {
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    }
    if (queue_.empty()) {
      if (stopping_) {
        return;
      }
      pause = milliseconds{0};
      continue;
    }
    const PushBatchPtr batch = queue_.front();
    const bool last_try = stopping_;
    lock.unlock();
    const bool done = attempt(*batch);
    lock.lock();
    if (done) {
      // Unless add() dropped it meanwhile.
      if (!queue_.empty() && queue_.front() == batch) {
        queue_.pop_front();
      }
      pause = milliseconds{0};
    } else if (last_try) {
      dropped_ += queue_.size();
      queue_.clear();
      return;
    } else {
      pause = std::min(kLongestPause, std::max(kFirstPause, pause * 2));
    }
  }
}

}  // namespace powertrace
