// SPDX-License-Identifier: Apache-2.0
#include "push/hub.hpp"

#include <utility>

#include <fmt/format.h>

namespace powertrace {
namespace {

constexpr std::size_t kMostSnapshots = 60;

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    out += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c == '\n' ? ' ' : c);
  }
  return out + "\"";
}

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
    if (queue_.empty()) {
      return;
    }
    const SnapshotPtr snapshot = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    folder_.add(*snapshot);
    if (const PushBatchPtr batch = folder_.take()) {
      for (const auto& runner : runners_) {
        runner->add(batch);
      }
    }
    lock.lock();
  }
}

std::string push_metrics(const PushHub& hub) {
  const std::vector<SinkStats> all = hub.stats();
  std::string text;
  const auto family = [&](const char* name, const char* type, const char* help, auto value) {
    text += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
    for (const SinkStats& sink : all) {
      text += fmt::format("{}{{sink={}}} {}\n", name, quoted(sink.name), value(sink));
    }
  };
  family("powertrace_push_batches_total", "counter", "Batches that a sink took.",
         [](const SinkStats& sink) { return sink.sent; });
  family("powertrace_push_dropped_batches_total", "counter",
         "Batches that were dropped: the queue was full or the sink refused them.",
         [](const SinkStats& sink) { return sink.dropped; });
  family("powertrace_push_failures_total", "counter", "Attempts to send that failed.",
         [](const SinkStats& sink) { return sink.failures; });
  family("powertrace_push_queued_batches", "gauge", "Batches that wait to be sent.",
         [](const SinkStats& sink) { return sink.queued; });
  return text;
}

}  // namespace powertrace
