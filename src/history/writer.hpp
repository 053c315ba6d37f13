// SPDX-License-Identifier: Apache-2.0
//
// The node's history as it happens: takes snapshots from the loop without ever waiting, adds whole
// minutes to the database on a thread of its own. What the disk does not take in time is dropped,
// counted and said.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "history/database.hpp"
#include "history/minutes.hpp"
#include "model/snapshot.hpp"

namespace powertrace {

struct HistoryStats {
  std::uint64_t minutes = 0;            // written
  std::uint64_t dropped_intervals = 0;  // the queue was full
  std::uint64_t dropped_minutes = 0;    // the database refused them for too long
  std::uint64_t failures = 0;           // attempts to write
};

class HistoryWriter {
 public:
  // `database` is shared with those who ask it.
  HistoryWriter(std::shared_ptr<HistoryDatabase> database, MinuteFolder folder);
  HistoryWriter(const HistoryWriter&) = delete;
  HistoryWriter& operator=(const HistoryWriter&) = delete;
  ~HistoryWriter();  // writes what there is

  // The loop's thread. Never waits for the disk.
  void add(SnapshotPtr snapshot);

  [[nodiscard]] HistoryStats stats() const;

 private:
  void run();
  void write(bool all);

  std::shared_ptr<HistoryDatabase> database_;
  MinuteFolder folder_;          // of the thread
  std::vector<Minute> waiting_;  // of the thread: folded, not written yet
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<SnapshotPtr> queue_;
  bool stopping_ = false;
  std::atomic<std::uint64_t> minutes_ = 0;
  std::atomic<std::uint64_t> dropped_intervals_ = 0;
  std::atomic<std::uint64_t> dropped_minutes_ = 0;
  std::atomic<std::uint64_t> failures_ = 0;
  std::thread thread_;  // last: it uses the others
};

// The user's name as /etc/passwd under `root` has it, else the number. Reads the file once.
MinuteFolder::UserName passwd_names(const std::string& path = "/etc/passwd");

}  // namespace powertrace
