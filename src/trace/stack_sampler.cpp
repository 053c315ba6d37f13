// SPDX-License-Identifier: Apache-2.0
#include "trace/stack_sampler.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <utility>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include "sampling.skel.h"

namespace powertrace {
namespace {

constexpr std::uint32_t kRingBytesPerCpu = 1U << 20U;
constexpr std::uint32_t kMaxRingBytes = 32U << 20U;

constexpr const char* kRemedy =
    "it needs CAP_BPF and CAP_PERFMON: run as root, or set kernel.perf_event_paranoid <= 0";

UniqueFd open_event(std::uint32_t type, std::uint64_t config, std::uint32_t hz, int cpu) {
  perf_event_attr attr{};
  attr.size = sizeof(attr);
  attr.type = type;
  attr.config = config;
  attr.freq = 1;
  attr.sample_freq = hz;
  return UniqueFd(
      static_cast<int>(::syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC)));
}

std::uint32_t ring_bytes(std::size_t cpus) {
  std::uint32_t bytes = kRingBytesPerCpu;
  while (bytes < kMaxRingBytes && bytes < cpus * kRingBytesPerCpu) {
    bytes *= 2;
  }
  return bytes;
}

}  // namespace

void StackSampler::SkeletonDeleter::operator()(sampling_bpf* skeleton) const noexcept {
  sampling_bpf__destroy(skeleton);
}

void StackSampler::LinkDeleter::operator()(bpf_link* link) const noexcept {
  bpf_link__destroy(link);
}

void StackSampler::RingDeleter::operator()(ring_buffer* ring) const noexcept {
  ring_buffer__free(ring);
}

StackSampler::StackSampler(StackSampler&&) noexcept = default;
StackSampler::~StackSampler() = default;

Result<StackSampler> StackSampler::open(const SamplerConfig& config, std::span<const int> cpus) {
  StackSampler sampler;
  sampler.skeleton_.reset(sampling_bpf__open());
  if (!sampler.skeleton_) {
    return fail_errno(errno, "cannot open the sampling BPF object");
  }
  bpf_map__set_max_entries(sampler.skeleton_->maps.samples, ring_bytes(cpus.size()));
  bpf_program__set_autoload(sampler.skeleton_->progs.on_sample, config.hz > 0);
  bpf_program__set_autoload(sampler.skeleton_->progs.on_slice, config.slices);
  const int error = sampling_bpf__load(sampler.skeleton_.get());
  if (error != 0) {
    return fail_errno(-error, "the kernel refuses the sampling programs ({})", kRemedy);
  }
  if (config.hz > 0) {
    PT_TRY(sampler.open_events(config.hz, cpus));
  }
  return sampler;
}

Status StackSampler::open_events(std::uint32_t hz, std::span<const int> cpus) {
  struct Choice {
    std::uint32_t type;
    std::uint64_t config;
    const char* name;
  };
  constexpr Choice kCycles{PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, "cycles"};
  constexpr Choice kClock{PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, "cpu-clock"};
  Choice choice = kCycles;
  if (!open_event(choice.type, choice.config, hz, cpus.front()).valid()) {
    choice = kClock;
  }
  event_ = choice.name;
  for (const int cpu : cpus) {
    UniqueFd fd = open_event(choice.type, choice.config, hz, cpu);
    if (!fd.valid()) {
      return fail_errno(errno, "-F: cannot sample CPU {} at {} Hz ({})", cpu, hz, kRemedy);
    }
    events_.push_back(std::move(fd));
  }
  return {};
}

Status StackSampler::start() {
  ring_.reset(
      ring_buffer__new(bpf_map__fd(skeleton_->maps.samples), on_record, inbox_.get(), nullptr));
  if (!ring_) {
    return fail_errno(errno, "cannot read the sampling ring buffer");
  }
  for (const UniqueFd& event : events_) {
    links_.emplace_back(bpf_program__attach_perf_event(skeleton_->progs.on_sample, event.get()));
    if (!links_.back()) {
      return fail_errno(errno, "cannot attach the stack sampler");
    }
  }
  if (bpf_program__autoload(skeleton_->progs.on_slice)) {
    links_.emplace_back(bpf_program__attach(skeleton_->progs.on_slice));
    if (!links_.back()) {
      return fail_errno(errno, "--slices: cannot attach to sched_switch");
    }
  }
  return {};
}

int StackSampler::on_record(void* context, void* data, std::size_t size) noexcept {
  const Inbox& inbox = *static_cast<const Inbox*>(context);
  pt_sample_head head{};
  if (size < sizeof(head) || inbox.handlers == nullptr) {
    return 0;
  }
  std::memcpy(&head, data, sizeof(head));
  if (head.type == PT_SAMPLE_STACK && size >= offsetof(pt_sample, frames)) {
    const auto& sample = *static_cast<const pt_sample*>(data);
    const std::size_t frames = std::size_t{sample.kernel_frames} + sample.user_frames;
    if (size >= offsetof(pt_sample, frames) + frames * sizeof(sample.frames[0])) {
      inbox.handlers->stack(sample);
    }
  } else if (head.type == PT_SAMPLE_SWITCH && size >= sizeof(pt_slice_edge)) {
    inbox.handlers->slice(*static_cast<const pt_slice_edge*>(data));
  }
  return 0;
}

void StackSampler::drain(const Handlers& handlers) {
  inbox_->handlers = &handlers;
  ring_buffer__consume(ring_.get());
  inbox_->handlers = nullptr;
}

int StackSampler::fd() const {
  return bpf_map__fd(skeleton_->maps.samples);
}

std::uint64_t StackSampler::lost() const {
  return skeleton_->data->lost;
}

}  // namespace powertrace
