// SPDX-License-Identifier: Apache-2.0
#include "push/sink.hpp"

#include <chrono>
#include <functional>
#include <vector>

#include <doctest/doctest.h>

using namespace powertrace;

namespace {

struct Received {
  std::mutex mutex;
  std::vector<std::int64_t> ends;
  bool down = false;
  bool refuses = false;
  bool slow = false;
};

class FakeSink final : public Sink {
 public:
  explicit FakeSink(std::shared_ptr<Received> received) : received_(std::move(received)) {}
  [[nodiscard]] std::string name() const override { return "fake"; }
  Status send(const PushBatch& batch) override {
    if (received_->slow) {
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
    }
    const std::lock_guard lock(received_->mutex);
    if (received_->down) {
      return fail(ErrorCode::kBusy, "down");
    }
    if (received_->refuses) {
      return fail(ErrorCode::kIo, "no");
    }
    received_->ends.push_back(batch.end_ms);
    return {};
  }

 private:
  std::shared_ptr<Received> received_;
};

PushBatchPtr batch_at(std::int64_t end_ms) {
  auto batch = std::make_shared<PushBatch>();
  batch->end_ms = end_ms;
  return batch;
}

bool wait_for(const std::function<bool()>& condition) {
  for (int i = 0; i < 500 && !condition(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return condition();
}

}  // namespace

TEST_CASE("batches arrive in order, once, also after the server was away") {
  const auto received = std::make_shared<Received>();
  received->down = true;
  SinkRunner runner(std::make_unique<FakeSink>(received));
  for (int i = 0; i < 20; ++i) {
    runner.add(batch_at(i));
  }
  CHECK(wait_for([&] { return runner.stats().failures > 0; }));
  {
    const std::lock_guard lock(received->mutex);
    received->down = false;
  }
  CHECK(wait_for([&] { return runner.stats().sent == 20; }));
  REQUIRE(received->ends.size() == 20);
  for (int i = 0; i < 20; ++i) {
    CHECK(received->ends[static_cast<std::size_t>(i)] == i);
  }
  CHECK(runner.stats().dropped == 0);
}

TEST_CASE("a full queue loses the oldest, counts it, and add() never waits") {
  const auto received = std::make_shared<Received>();
  received->down = true;
  received->slow = true;
  SinkRunner runner(std::make_unique<FakeSink>(received), 5);
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 1000; ++i) {
    runner.add(batch_at(i));
  }
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::milliseconds(250));
  CHECK(runner.stats().dropped == 995);
  CHECK(runner.stats().queued == 5);
}

TEST_CASE("what a server refuses is dropped, not tried for ever") {
  const auto received = std::make_shared<Received>();
  received->refuses = true;
  SinkRunner runner(std::make_unique<FakeSink>(received));
  runner.add(batch_at(1));
  runner.add(batch_at(2));
  CHECK(wait_for([&] { return runner.stats().dropped == 2; }));
  CHECK(runner.stats().queued == 0);
}

TEST_CASE("the end sends what is queued, unless the server is away") {
  const auto received = std::make_shared<Received>();
  {
    SinkRunner runner(std::make_unique<FakeSink>(received));
    for (int i = 0; i < 50; ++i) {
      runner.add(batch_at(i));
    }
  }
  CHECK(received->ends.size() == 50);
  received->down = true;
  const auto begun = std::chrono::steady_clock::now();
  {
    SinkRunner runner(std::make_unique<FakeSink>(received));
    runner.add(batch_at(99));
  }
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(2));
}
