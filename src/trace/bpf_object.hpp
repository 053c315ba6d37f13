// SPDX-License-Identifier: Apache-2.0
//
// The BPF object: loaded, sized for this machine, attached, its maps mapped. Owned by Tracer; loop
// thread only. Nothing is pinned: when the process dies, the kernel removes everything.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "powertrace/abi.h"

struct bpf_link;
struct bpf_map;
struct bpf_program;
struct powertrace_bpf;

namespace powertrace {

struct BpfConfig {
  int possible_cpus = 1;
  int counters = 0;                    // how many of cycles, instructions will be opened
  int hierarchy_id = 0;                // cgroup hierarchy whose cgroups are named; 0: cgroup v2
  std::uint32_t slots_per_window = 0;  // a power of two; 0: by the number of CPUs
  bool typed_tracepoints = true;       // false: raw_tp, even if the kernel has tp_btf
};

// Slots per CPU and window, a power of two, so that all tables together stay within tens of MB on
// any machine. A full table is safe: its slices go through the ring buffer.
std::uint32_t default_slots_per_window(int possible_cpus);

class BpfObject {
 public:
  // Loads, and says what is missing if the kernel refuses: kPermission with the capabilities,
  // kUnsupported with the feature.
  static Result<BpfObject> load(const BpfConfig& config);

  BpfObject(const BpfObject&) = delete;
  BpfObject& operator=(const BpfObject&) = delete;
  BpfObject(BpfObject&&) noexcept;
  BpfObject& operator=(BpfObject&&) noexcept;
  ~BpfObject();

  // Attaches every loaded program; fails only if sched_switch cannot be had.
  Status attach();

  // Runs a program on one CPU; an errno, or 0. ENXIO: the CPU is offline. `returned`: by the
  // program.
  enum class Program { kFlush, kTimeCounters };
  int run_on_cpu(Program program, int cpu, std::uint32_t* returned = nullptr) const;

  [[nodiscard]] volatile pt_live& live() const;
  [[nodiscard]] std::span<pt_cpu> cpus() const { return cpus_; }
  [[nodiscard]] const pt_window& window(int cpu, std::uint64_t number) const;
  // Calls `visit` with every slot that is in use in that window.
  template <typename Visit>
  void each_slot(int cpu, std::uint64_t number, const Visit& visit) const {
    const std::size_t first =
        std::size_t{pt_window_index(static_cast<__u32>(cpu), number)} * slots_per_window_;
    const auto* slots = static_cast<const pt_slot*>(slots_map_.get()) + first;
    const auto* places = static_cast<const __u64*>(places_map_.get()) + first;
    const std::uint32_t used = std::min(window(cpu, number).used, slots_per_window_);
    for (std::uint32_t i = 0; i < used; ++i) {
      visit(slots[places[i] & (slots_per_window_ - 1)]);
    }
  }
  [[nodiscard]] int events_fd() const;
  // Map of counter 0 (cycles) or 1 (instructions): CPU -> perf event.
  [[nodiscard]] int counter_map_fd(int counter) const;

  // What this kernel could not give, each with its consequence, for people.
  [[nodiscard]] const std::vector<std::string>& limits() const { return limits_; }
  [[nodiscard]] bool raw_switch() const { return raw_switch_; }

 private:
  struct SkeletonDeleter {
    void operator()(powertrace_bpf* skeleton) const noexcept;
  };
  struct LinkDeleter {
    void operator()(bpf_link* link) const noexcept;
  };
  using Skeleton = std::unique_ptr<powertrace_bpf, SkeletonDeleter>;

  BpfObject() = default;
  static Result<Skeleton> open_and_load(const BpfConfig& config,
                                        bool raw_switch,
                                        std::vector<std::string>& limits);
  Status map_tables(const BpfConfig& config);

  // Teardown runs bottom up: links, then mappings, then the object.
  Skeleton skeleton_;
  bool raw_switch_ = false;
  std::uint32_t slots_per_window_ = 0;
  std::vector<std::string> limits_;
  UniqueMmap slots_map_;
  UniqueMmap places_map_;
  UniqueMmap windows_map_;
  UniqueMmap cpus_map_;
  std::span<pt_cpu> cpus_;
  std::vector<std::unique_ptr<bpf_link, LinkDeleter>> links_;
};

}  // namespace powertrace
