// SPDX-License-Identifier: Apache-2.0
//
// From the loop to the sinks: snapshots are folded into batches on a thread of the hub's own, and
// every sink gets every batch. The loop never waits.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "push/batch.hpp"
#include "push/sink.hpp"

namespace powertrace {

class PushHub {
 public:
  PushHub(BatchFolder folder, std::vector<std::unique_ptr<Sink>> sinks);
  PushHub(const PushHub&) = delete;
  PushHub& operator=(const PushHub&) = delete;
  ~PushHub();

  // The loop's thread.
  void add(SnapshotPtr snapshot);

  [[nodiscard]] std::vector<SinkStats> stats() const;
  [[nodiscard]] std::uint64_t dropped_snapshots() const { return dropped_; }

 private:
  void run();

  BatchFolder folder_;  // of the thread
  std::vector<std::unique_ptr<SinkRunner>> runners_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<SnapshotPtr> queue_;
  bool stopping_ = false;
  std::atomic<std::uint64_t> dropped_ = 0;
  std::thread thread_;  // last: it uses the others
};

}  // namespace powertrace
