// SPDX-License-Identifier: Apache-2.0
#include "pipeline/self_cost.hpp"

#include <cstdio>
#include <memory>

#include <unistd.h>

#include "base/clock.hpp"

namespace powertrace {
namespace {

std::uint64_t resident_bytes() {
  // The process's own /proc, wherever the host's is mounted for everything else.
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen("/proc/self/statm", "re"),
                                                   std::fclose);
  unsigned long total = 0;
  unsigned long resident = 0;
  if (!file || std::fscanf(file.get(), "%lu %lu", &total, &resident) != 2) {
    return 0;
  }
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

void SelfMeter::reset(const Tracer& tracer) {
  stats_ = tracer.stats();
  cpu_ns_ = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

SelfCost SelfMeter::read(const Tracer& tracer) const {
  const TraceStats now = tracer.stats();
  SelfCost cost;
  cost.cpu_seconds = static_cast<double>(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns_) / 1e9;
  cost.rss_bytes = resident_bytes();
  // The mean since start: one interval of an idle machine has too few sampled runs.
  cost.bpf_ns_per_switch =
      now.timed_runs == 0 ? 0
                          : static_cast<double>(now.timed_ns) / static_cast<double>(now.timed_runs);
  cost.switches = now.switches - stats_.switches;
  cost.counter_reads = now.counter_reads - stats_.counter_reads;
  cost.counter_read_ns = tracer.reading_ns();
  cost.lost_slices = now.lost_slices - stats_.lost_slices;
  cost.lost_events = now.lost_events - stats_.lost_events;
  cost.missed_switches = now.missed_switches - stats_.missed_switches;
  return cost;
}

}  // namespace powertrace
