// SPDX-License-Identifier: Apache-2.0
//
// Stack samples and scheduling slices, for recordings: BPF programs of their own, loaded only when
// asked for. Loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "powertrace/sampling.h"

struct bpf_link;
struct ring_buffer;
struct sampling_bpf;

namespace powertrace {

struct SamplerConfig {
  std::uint32_t hz = 0;  // stack samples per second and CPU; 0: none
  bool slices = false;
};

class StackSampler {
 public:
  static Result<StackSampler> open(const SamplerConfig& config, std::span<const int> cpus);
  StackSampler(const StackSampler&) = delete;
  StackSampler& operator=(const StackSampler&) = delete;
  StackSampler(StackSampler&&) noexcept;
  StackSampler& operator=(StackSampler&&) = delete;
  ~StackSampler();

  Status start();

  struct Handlers {
    std::function<void(const pt_sample&)> stack;
    std::function<void(const pt_slice_edge&)> slice;
  };
  // In the order of each CPU; between CPUs times may go back a little.
  void drain(const Handlers& handlers);

  // Readable when an address space was sampled for the first time, or the buffer fills.
  [[nodiscard]] int fd() const;
  // What triggers samples: "cycles", or "cpu-clock" where there is no PMU; empty: nothing does.
  [[nodiscard]] const std::string& event() const { return event_; }
  [[nodiscard]] std::uint64_t lost() const;

 private:
  struct SkeletonDeleter {
    void operator()(sampling_bpf* skeleton) const noexcept;
  };
  struct LinkDeleter {
    void operator()(bpf_link* link) const noexcept;
  };
  struct RingDeleter {
    void operator()(ring_buffer* ring) const noexcept;
  };
  struct Inbox {
    const Handlers* handlers = nullptr;  // during drain() only
  };

  StackSampler() = default;
  Status open_events(std::uint32_t hz, std::span<const int> cpus);
  static int on_record(void* context, void* data, std::size_t size) noexcept;

  // Teardown runs bottom up.
  std::unique_ptr<sampling_bpf, SkeletonDeleter> skeleton_;
  std::unique_ptr<Inbox> inbox_ = std::make_unique<Inbox>();
  std::unique_ptr<ring_buffer, RingDeleter> ring_;
  std::string event_;
  std::vector<UniqueFd> events_;
  std::vector<std::unique_ptr<bpf_link, LinkDeleter>> links_;
};

}  // namespace powertrace
