// SPDX-License-Identifier: Apache-2.0
#include "trace/perf_counters.hpp"

#include <array>
#include <cerrno>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <utility>

#include <bpf/bpf.h>

namespace powertrace {
namespace {

constexpr std::array<CounterEvent, 2> kHardware{{{PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES},
                                                 {PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS}}};

UniqueFd open_event(const CounterEvent& event, int cpu, int group_fd) {
  perf_event_attr attr{};
  attr.size = sizeof(attr);
  attr.type = event.type;
  attr.config = event.config;
  return UniqueFd(static_cast<int>(
      ::syscall(SYS_perf_event_open, &attr, -1, cpu, group_fd, PERF_FLAG_FD_CLOEXEC)));
}

}  // namespace

CounterSupport probe_counters(int cpu) {
  CounterSupport support;
  const UniqueFd leader = open_event(kHardware[0], cpu, -1);
  if (!leader.valid()) {
    const int error = errno;
    if (error == EACCES || error == EPERM) {
      support.reason = "perf events are not permitted";
      support.remedy = "run as root or with CAP_PERFMON, or set kernel.perf_event_paranoid <= 0";
    } else if (error == ENOENT || error == EOPNOTSUPP || error == ENODEV) {
      support.reason = "this machine has no cycle counter (most virtual machines hide the PMU)";
      support.remedy = "on a VM, expose the virtual PMU to the guest";
    } else {
      support.reason = std::string("the cycle counter cannot be opened: ") + std::strerror(error);
      support.remedy = "see whether another tool or the NMI watchdog holds the counters";
    }
    return support;
  }
  support.events.push_back(kHardware[0]);
  if (open_event(kHardware[1], cpu, leader.get()).valid()) {
    support.events.push_back(kHardware[1]);
  } else {
    support.reason = std::string("no instruction counter: ") + std::strerror(errno);
  }
  return support;
}

PerfCounters::PerfCounters(std::vector<CounterEvent> events) : events_(std::move(events)) {}

Status PerfCounters::open_cpu(int cpu, const BpfObject& bpf) {
  std::vector<UniqueFd> group;
  for (std::size_t i = 0; i < events_.size(); ++i) {
    UniqueFd fd = open_event(events_[i], cpu, group.empty() ? -1 : group.front().get());
    if (!fd.valid()) {
      return fail_errno(errno, "cannot open hardware counter {} on CPU {}", i, cpu);
    }
    const int value = fd.get();
    if (bpf_map_update_elem(bpf.counter_map_fd(static_cast<int>(i)), &cpu, &value, BPF_ANY) != 0) {
      return fail_errno(errno, "cannot give hardware counter {} of CPU {} to BPF", i, cpu);
    }
    group.push_back(std::move(fd));
  }
  const auto index = static_cast<std::size_t>(cpu);
  if (fds_.size() <= index) {
    fds_.resize(index + 1);
  }
  fds_[index] = std::move(group);
  return {};
}

void PerfCounters::close_cpu(int cpu) {
  const auto index = static_cast<std::size_t>(cpu);
  if (index < fds_.size()) {
    fds_[index].clear();
  }
}

}  // namespace powertrace
