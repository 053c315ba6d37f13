// SPDX-License-Identifier: Apache-2.0
//
// The kernel side as user space sees it: windows of who ran how long. One per process, loop thread
// only. A window goes: end_window(), read the energy zones, drain_events(), read_window().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "base/sysroot.hpp"
#include "base/topology.hpp"
#include "model/window.hpp"
#include "trace/bpf_object.hpp"
#include "trace/counter_budget.hpp"
#include "trace/perf_counters.hpp"
#include "trace/run_time.hpp"

struct ring_buffer;

namespace powertrace {

struct TracerConfig {
  CounterMode counters = CounterMode::kAuto;
  double budget = 0.005;               // share of each CPU's time for counter readings
  int hierarchy_id = 0;                // cgroup hierarchy to name; 0: cgroup v2
  std::uint32_t slots_per_window = 0;  // a power of two; 0: by the number of CPUs
  bool typed_tracepoints = true;       // false: raw_tp, even if the kernel has tp_btf
  std::vector<CounterEvent> events;    // empty: what the PMU offers
};

// Since start. Differences give an interval's.
struct TraceStats {
  std::uint64_t switches = 0;
  std::uint64_t counter_reads = 0;
  std::uint64_t timed_runs = 0;  // sampled runs of the switch program and their length
  std::uint64_t timed_ns = 0;
  std::uint64_t overflows = 0;  // slices that went through the ring buffer: slower, not lost
  std::uint64_t lost_slices = 0;
  std::uint64_t lost_events = 0;
  std::uint64_t missed_switches = 0;  // slices of unknown tasks: the kernel kept a switch from us
  std::uint64_t failed_counters = 0;
};

class Tracer {
 public:
  using EventHandler = std::function<void(const pt_event& event, std::size_t size)>;

  static Result<Tracer> open(const TracerConfig& config, const SysRoot& root);
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;
  Tracer(Tracer&&) noexcept;
  Tracer& operator=(Tracer&&) noexcept;
  ~Tracer();

  // Attaches and opens the first window.
  Status start();

  // Closes the open window on every CPU on which a task runs; idle CPUs are not woken. Also sets
  // the share of slices that the next window counts.
  void end_window();

  // Delivers lifecycle events to `handler`, in the order in which they happened on each CPU.
  void drain_events(const EventHandler& handler);

  // The window that end_window() closed: tasks and sockets; `zones` is left alone. One entry per
  // task, cgroup and socket.
  void read_window(Window& window);

  [[nodiscard]] TraceStats stats() const;
  // Becomes readable when the ring buffer fills faster than windows end.
  [[nodiscard]] int events_fd() const { return bpf_.events_fd(); }
  [[nodiscard]] const Topology& topology() const { return topology_; }
  [[nodiscard]] const CounterSupport& counter_support() const { return support_; }
  [[nodiscard]] bool counters_on() const { return counters_.enabled(); }
  [[nodiscard]] double reading_ns() const { return reading_ns_; }  // 0: no counters
  // The switch program is the raw_tp one: typed tracepoints are refused here.
  [[nodiscard]] bool raw_switch() const { return bpf_.raw_switch(); }
  // What this kernel could not give, each with its consequence.
  [[nodiscard]] const std::vector<std::string>& limits() const { return bpf_.limits(); }

 private:
  struct RingDeleter {
    void operator()(ring_buffer* ring) const noexcept;
  };
  struct UseKey {
    TaskId task;
    std::uint64_t cgroup_id;
    int socket;
    bool operator==(const UseKey&) const = default;
  };
  struct UseKeyHash {
    std::size_t operator()(const UseKey& key) const noexcept;
  };

  Tracer(BpfObject bpf, Topology topology, CounterSupport support, SysRoot root);
  // What ring buffer records turn into; on the heap, because libbpf keeps its address.
  struct Inbox {
    std::vector<pt_event_slice> overflow;
    const EventHandler* handler = nullptr;  // during drain_events() only
  };

  static int on_record(void* context, void* data, std::size_t size) noexcept;
  void raise_window();
  void follow_hotplug();
  void add_slot(const pt_slot& slot, int cpu, Window& window);
  void set_sampling(std::uint64_t window_ns);

  // The ring reads from the object's map: it goes first.
  BpfObject bpf_;
  std::unique_ptr<Inbox> inbox_ = std::make_unique<Inbox>();
  std::unique_ptr<ring_buffer, RingDeleter> ring_;
  PerfCounters counters_{{}};
  CounterSupport support_;
  SysRoot root_;
  Topology topology_;
  double reading_ns_ = 0;

  std::uint64_t open_window_ = 1;
  std::uint64_t edge_ns_ = 0;  // CLOCK_MONOTONIC of the last edge
  std::uint64_t last_start_ns_ = 0;
  std::uint64_t last_hotplug_check_ns_ = 0;
  std::vector<CounterBudget> budgets_;          // by CPU
  std::vector<std::uint64_t> switches_before_;  // by CPU
  std::unordered_map<UseKey, std::size_t, UseKeyHash> merged_;
  RunTime run_time_;
};

}  // namespace powertrace
