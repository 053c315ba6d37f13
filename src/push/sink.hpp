// SPDX-License-Identifier: Apache-2.0
//
// Sinks and what keeps them from hurting anybody: each has a thread and a bounded queue of its own,
// tries again while its server is away, and counts what it had to drop.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/result.hpp"
#include "push/batch.hpp"

namespace powertrace {

class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  [[nodiscard]] virtual std::string name() const = 0;  // "redis", with no secret
  // kBusy: worth another try. Every other error is about this batch: it is dropped.
  virtual Status send(const PushBatch& batch) = 0;
};

struct SinkStats {
  std::string name;
  std::uint64_t sent = 0;      // batches
  std::uint64_t dropped = 0;   // batches: the queue was full, or the server refused them
  std::uint64_t failures = 0;  // attempts
  std::uint64_t queued = 0;    // batches, now
};

class SinkRunner {
 public:
  explicit SinkRunner(std::unique_ptr<Sink> sink, std::size_t capacity = 360);
  SinkRunner(const SinkRunner&) = delete;
  SinkRunner& operator=(const SinkRunner&) = delete;
  ~SinkRunner();  // one last try for what is queued, until one fails

  // Never waits. When the queue is full the oldest batch goes.
  void add(PushBatchPtr batch);
  [[nodiscard]] SinkStats stats() const;

 private:
  void run();
  // Returns true when the batch is done with, sent or dropped.
  bool attempt(const PushBatch& batch);

  std::unique_ptr<Sink> sink_;
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<PushBatchPtr> queue_;
  bool stopping_ = false;
  std::atomic<std::uint64_t> sent_ = 0;
  std::atomic<std::uint64_t> dropped_ = 0;
  std::atomic<std::uint64_t> failures_ = 0;
  bool failing_ = false;  // of the thread: said so already
  std::thread thread_;    // last: it uses the others
};

}  // namespace powertrace
