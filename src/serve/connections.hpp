// SPDX-License-Identifier: Apache-2.0
//
// Who is connected since when, and an end to those who take too long. Thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace powertrace {

class Connections {
 public:
  explicit Connections(std::uint64_t deadline_ns);
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;
  ~Connections();

  // A socket is known from opened() until closed(), which must come before close().
  void opened(int fd);
  void answered(int fd);  // the time to the deadline begins anew
  void closed(int fd);

  [[nodiscard]] std::uint64_t expired() const { return expired_; }

 private:
  void run();
  void expire();

  const std::uint64_t deadline_ns_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::unordered_map<int, std::uint64_t> since_ns_;
  std::atomic<std::uint64_t> expired_ = 0;
  std::thread thread_;  // last: it uses the others
};

}  // namespace powertrace
