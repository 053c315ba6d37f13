// SPDX-License-Identifier: Apache-2.0
#include "trace/tracer.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include <bpf/libbpf.h>

#include "base/clock.hpp"
#include "base/log.hpp"

namespace powertrace {
namespace {

constexpr std::uint64_t kHotplugCheckNs = 1'000'000'000;

// The kernel writes while we read: one load, not cached by the compiler.
template <typename T>
T load(const T& value) {
  return std::atomic_ref<T>(const_cast<T&>(value)).load(std::memory_order_acquire);
}

// ns that a reading of all counters takes, 0 if there are none. Its place is a switch, where code
// and data have to be fetched first; in a loop it would take half of that. So each is
// made after a pause, and the middle one taken: some are interrupted.
double measure_reading(const BpfObject& bpf, int cpu) {
  constexpr std::chrono::microseconds kPause(100);
  std::array<std::uint32_t, 15> readings{};
  for (std::uint32_t& ns : readings) {
    std::this_thread::sleep_for(kPause);
    if (bpf.run_on_cpu(BpfObject::Program::kTimeCounters, cpu, &ns) != 0) {
      return 0;
    }
  }
  const auto middle = readings.begin() + readings.size() / 2;
  std::nth_element(readings.begin(), middle, readings.end());
  return *middle;
}

}  // namespace

void Tracer::RingDeleter::operator()(ring_buffer* ring) const noexcept {
  ring_buffer__free(ring);
}

std::size_t Tracer::UseKeyHash::operator()(const UseKey& key) const noexcept {
  return std::hash<TaskId>{}(key.task) ^ (key.cgroup_id * 0xD1B54A32D192ED03ULL) ^
         static_cast<std::size_t>(key.socket);
}

Tracer::Tracer(BpfObject bpf, Topology topology, CounterSupport support, SysRoot root)
    : bpf_(std::move(bpf)),
      counters_(support.events),
      support_(std::move(support)),
      root_(std::move(root)),
      topology_(std::move(topology)) {}

Tracer::Tracer(Tracer&&) noexcept = default;
Tracer& Tracer::operator=(Tracer&&) noexcept = default;
Tracer::~Tracer() = default;

Result<Tracer> Tracer::open(const TracerConfig& config, const SysRoot& root) {
  PT_ASSIGN(Topology topology, read_topology(root));
  CounterSupport support;
  if (config.counters == CounterMode::kOff) {
    support.reason = "switched off (--counters off, or --model time)";
  } else if (!config.events.empty()) {
    support.events = config.events;
  } else {
    support = probe_counters(topology.online.front());
  }

  BpfConfig bpf_config;
  bpf_config.possible_cpus = topology.possible;
  bpf_config.counters = static_cast<int>(support.events.size());
  bpf_config.hierarchy_id = config.hierarchy_id;
  bpf_config.slots_per_window = config.slots_per_window;
  bpf_config.typed_tracepoints = config.typed_tracepoints;
  PT_ASSIGN(BpfObject bpf, BpfObject::load(bpf_config));

  Tracer tracer(std::move(bpf), std::move(topology), std::move(support), root);
  const auto cpus = static_cast<std::size_t>(tracer.topology_.possible);
  for (std::size_t cpu = 0; cpu < cpus; ++cpu) {
    pt_cpu& state = tracer.bpf_.cpus()[cpu];
    state.base = state.place = PT_NOWHERE;
    state.rng = (monotonic_ns() + cpu) * 0x9E3779B97F4A7C15ULL | 1U;
    state.timed_at = PT_TIMED_FIRST;
    // What the budget allows is known after the first window.
    if (config.counters == CounterMode::kAlways) {
      state.sample_scale = sample_scale(1);
      state.allowance = ~0U;
    } else {
      state.sample_scale = sample_scale(0);
    }
  }
  for (const int cpu : tracer.topology_.online) {
    PT_TRY(tracer.counters_.open_cpu(cpu, tracer.bpf_));
  }
  if (tracer.counters_on()) {
    tracer.reading_ns_ = measure_reading(tracer.bpf_, tracer.topology_.online.front());
  }
  tracer.budgets_.assign(cpus, CounterBudget(config.counters, config.budget, tracer.reading_ns_));
  tracer.switches_before_.assign(cpus, 0);
  return tracer;
}

Status Tracer::start() {
  ring_.reset(ring_buffer__new(bpf_.events_fd(), on_record, inbox_.get(), nullptr));
  if (!ring_) {
    return fail_errno(errno, "cannot read the BPF ring buffer");
  }
  PT_TRY(bpf_.attach());
  // Ends window 0, which nobody reads: every CPU opens window 1 here, also those that are idle, and
  // what runs there gets its baseline.
  run_time_.start(boottime_ns());
  raise_window();
  for (const int cpu : topology_.online) {
    const int error = bpf_.run_on_cpu(BpfObject::Program::kFlush, cpu);
    if (error != 0 && error != ENXIO) {
      return fail_errno(error, "cannot run the flush program on CPU {}", cpu);
    }
  }
  edge_ns_ = monotonic_ns();
  last_hotplug_check_ns_ = edge_ns_;
  return {};
}

void Tracer::raise_window() {
  bpf_.live().window = open_window_;
  for (pt_cpu& cpu : bpf_.cpus()) {
    std::atomic_ref(cpu.who.generation).fetch_add(1);
  }
}

void Tracer::end_window() {
  set_sampling(monotonic_ns() - edge_ns_);
  ++open_window_;
  raise_window();
  // Pairs with the exchange in cross_idle(): whoever starts to run now sees the new window, and
  // whoever ran before is seen as running here.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  for (int cpu = 0; cpu < topology_.possible; ++cpu) {
    const pt_cpu& state = bpf_.cpus()[static_cast<std::size_t>(cpu)];
    if (load(state.running) != 0) {
      bpf_.run_on_cpu(BpfObject::Program::kFlush, cpu);
    }
  }
  last_start_ns_ = std::exchange(edge_ns_, monotonic_ns());
}

int Tracer::on_record(void* context, void* data, std::size_t size) noexcept {
  auto& inbox = *static_cast<Inbox*>(context);
  pt_event head{};
  if (size < sizeof(head)) {
    return 0;
  }
  std::memcpy(&head, data, sizeof(head));
  if (head.type == PT_EVENT_SLICE && size >= sizeof(pt_event_slice)) {
    inbox.overflow.push_back(*static_cast<const pt_event_slice*>(data));
  } else if (inbox.handler != nullptr) {
    (*inbox.handler)(*static_cast<const pt_event*>(data), size);
  }
  return 0;
}

void Tracer::drain_events(const EventHandler& handler) {
  inbox_->handler = &handler;
  ring_buffer__consume(ring_.get());
  inbox_->handler = nullptr;
}

void Tracer::add_slot(const pt_slot& slot, int cpu, Window& window) {
  const int socket = topology_.socket_of[static_cast<std::size_t>(cpu)];
  const UseKey key{{slot.who.pid, slot.start_boottime}, slot.cgroup_id, socket};
  const auto [at, fresh] = merged_.try_emplace(key, window.tasks.size());
  if (fresh) {
    TaskUse use;
    use.task = key.task;
    use.tgid = slot.tgid;
    use.socket = socket;
    use.cgroup_id = slot.cgroup_id;
    use.kernel_thread = (slot.flags & PT_F_KTHREAD) != 0;
    window.tasks.push_back(use);
  }
  TaskUse& use = window.tasks[at->second];
  std::memcpy(use.comm.data(), slot.comm, use.comm.size());
  use.comm.back() = '\0';
  use.switches += slot.switches;
  // Wraps if negative; RunTime looks at the sums.
  use.run_ns += static_cast<std::uint64_t>(slot.run_ns);
  use.counted_ns += static_cast<std::uint64_t>(slot.counted_ns);
  run_time_.note(key.task, slot.sum_ns);
  use.cycles += slot.counts[0];
  use.instructions += slot.counts[1];
}

void Tracer::read_window(Window& window) {
  follow_hotplug();
  window.number = open_window_ - 1;
  window.start_ns = last_start_ns_;
  window.end_ns = edge_ns_;
  window.tasks.clear();
  window.sockets.assign(static_cast<std::size_t>(topology_.sockets()), {});
  merged_.clear();

  const std::uint64_t length_ns = window.end_ns - window.start_ns;
  for (const int cpu : topology_.online) {
    const int socket = topology_.socket_of[static_cast<std::size_t>(cpu)];
    window.sockets[static_cast<std::size_t>(socket)].capacity_ns += length_ns;
  }
  for (int cpu = 0; cpu < topology_.possible; ++cpu) {
    const pt_window& header = bpf_.window(cpu, window.number);
    if (load(header.number) != window.number) {
      continue;  // nothing ran there
    }
    const int socket = topology_.socket_of[static_cast<std::size_t>(cpu)];
    window.sockets[static_cast<std::size_t>(socket)].lost_ns += header.lost_ns;
    bpf_.each_slot(cpu, window.number, [&](const pt_slot& slot) { add_slot(slot, cpu, window); });
  }
  std::erase_if(inbox_->overflow, [&](const pt_event_slice& slice) {
    if (slice.window > window.number || slice.head.cpu >= bpf_.cpus().size()) {
      return false;
    }
    add_slot(slice.slot, static_cast<int>(slice.head.cpu), window);
    return true;
  });
  run_time_.settle(window, boottime_ns());
}

void Tracer::set_sampling(std::uint64_t window_ns) {
  if (!counters_on()) {
    return;
  }
  for (std::size_t cpu = 0; cpu < budgets_.size(); ++cpu) {
    pt_cpu& state = bpf_.cpus()[cpu];
    const std::uint64_t switches = load(state.switches);
    const std::uint64_t fresh = switches - std::exchange(switches_before_[cpu], switches);
    const Sampling sampling = budgets_[cpu].next(fresh, window_ns);
    std::atomic_ref(state.allowance).store(sampling.allowance, std::memory_order_relaxed);
    std::atomic_ref(state.sample_scale)
        .store(sample_scale(sampling.share), std::memory_order_relaxed);
  }
}

void Tracer::follow_hotplug() {
  if (edge_ns_ - last_hotplug_check_ns_ < kHotplugCheckNs) {
    return;
  }
  last_hotplug_check_ns_ = edge_ns_;
  const std::vector<int> before = topology_.online;
  if (const Status read = refresh_online(root_, topology_); !read) {
    log_debug("{}", read.error().message);
    return;
  }
  for (const int cpu : before) {
    if (!std::binary_search(topology_.online.begin(), topology_.online.end(), cpu)) {
      log_info("CPU {} went offline", cpu);
      counters_.close_cpu(cpu);
    }
  }
  for (const int cpu : topology_.online) {
    if (!std::binary_search(before.begin(), before.end(), cpu)) {
      log_info("CPU {} came online", cpu);
      if (const Status opened = counters_.open_cpu(cpu, bpf_); !opened) {
        log_warn("{}; its tasks are not counted", opened.error().message);
      }
    }
  }
}

TraceStats Tracer::stats() const {
  TraceStats sum;
  for (const pt_cpu& cpu : bpf_.cpus()) {
    sum.switches += load(cpu.switches);
    sum.counter_reads += load(cpu.counter_reads);
    sum.timed_runs += load(cpu.timed_runs);
    sum.timed_ns += load(cpu.timed_ns);
    sum.overflows += load(cpu.overflows);
    sum.lost_slices += load(cpu.drops[PT_DROP_SLICE]);
    sum.lost_events += load(cpu.drops[PT_DROP_EVENT]);
    sum.missed_switches += load(cpu.drops[PT_DROP_SWITCH]);
    sum.failed_counters += load(cpu.drops[PT_DROP_COUNTER]);
  }
  return sum;
}

}  // namespace powertrace
