// SPDX-License-Identifier: Apache-2.0
#include "history/writer.hpp"

#include <chrono>
#include <cstdio>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "base/log.hpp"
#include "base/sysroot.hpp"

namespace powertrace {
namespace {

// A snapshot holds every task: two minutes of them at one a second are enough to outlast a slow
// disk, and an hour of folded minutes a full one.
constexpr std::size_t kMostSnapshots = 120;
constexpr std::size_t kMostMinutes = 60;

}  // namespace

HistoryWriter::HistoryWriter(std::shared_ptr<HistoryDatabase> database, MinuteFolder folder)
    : database_(std::move(database)), folder_(std::move(folder)), thread_([this] { run(); }) {}

HistoryWriter::~HistoryWriter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void HistoryWriter::add(SnapshotPtr snapshot) {
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= kMostSnapshots) {
      ++dropped_intervals_;
      return;
    }
    queue_.push_back(std::move(snapshot));
  }
  wake_.notify_one();
}

HistoryStats HistoryWriter::stats() const {
  return {minutes_, dropped_intervals_, dropped_minutes_, failures_};
}

void HistoryWriter::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    const bool last = stopping_;
    std::deque<SnapshotPtr> batch;
    batch.swap(queue_);
    lock.unlock();
    for (const SnapshotPtr& snapshot : batch) {
      folder_.add(*snapshot);
    }
    batch.clear();
    write(last);
    if (last) {
      return;
    }
    lock.lock();
  }
}

void HistoryWriter::write(bool all) {
  std::vector<Minute> minutes = folder_.take(all);
  if (minutes.empty() && !(all && !waiting_.empty())) {
    return;
  }
  std::move(minutes.begin(), minutes.end(), std::back_inserter(waiting_));
  const Status written = database_->add(waiting_);
  if (written) {
    minutes_ += waiting_.size();
    waiting_.clear();
    return;
  }
  if (failures_++ == 0) {
    log_warn("{}; it is tried again every minute", written.error().message);
  }
  while (waiting_.size() > kMostMinutes) {
    waiting_.erase(waiting_.begin());
    ++dropped_minutes_;
  }
}

MinuteFolder::UserName passwd_names(const std::string& path) {
  std::unordered_map<std::uint32_t, std::string> names;
  std::istringstream lines(read_file(path).value_or(""));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t password = line.find(':');
    const std::size_t uid = password == std::string::npos ? password : line.find(':', password + 1);
    unsigned number = 0;
    if (uid != std::string::npos && std::sscanf(line.c_str() + uid + 1, "%u:", &number) == 1) {
      names.try_emplace(number, line.substr(0, password));
    }
  }
  return [names = std::move(names)](std::uint32_t uid) {
    const auto found = names.find(uid);
    return found == names.end() ? std::to_string(uid) : found->second;
  };
}

}  // namespace powertrace
