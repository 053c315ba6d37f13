// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include "doctor/checks.hpp"

namespace powertrace::doctor {

Finding check_bpf(const Result<Tracer>& tracer) {
  if (!tracer) {
    return {"trace.bpf", FindingStatus::kMissing, "the BPF programs do not load and attach",
            tracer.error().message,
            tracer.error().code == ErrorCode::kPermission
                ? "run as root, or with CAP_BPF and CAP_PERFMON"
                : "see the findings on the kernel; --log-level debug shows what it said"};
  }
  const std::string what =
      fmt::format("the BPF programs load and attach to {}",
                  tracer->raw_switch() ? "raw_tp/sched_switch" : "tp_btf/sched_switch");
  if (tracer->limits().empty()) {
    return {"trace.bpf", FindingStatus::kOk, what, "", ""};
  }
  return {"trace.bpf", FindingStatus::kLimited, what,
          fmt::format("{}", fmt::join(tracer->limits(), "\n")),
          "use a kernel with CONFIG_DEBUG_INFO_BTF=y, CONFIG_BPF_EVENTS=y and CONFIG_CGROUPS=y"};
}

Finding check_counters(const CounterSupport& support, double reading_ns) {
  const std::string cost =
      reading_ns > 0 ? fmt::format(", {:.0f} ns a reading", reading_ns) : std::string();
  if (support.events.size() >= 2) {
    return {"trace.counters", FindingStatus::kOk, "cycles and instructions" + cost, "", ""};
  }
  const std::string remedy = support.remedy.empty()
                                 ? "see whether another tool or the NMI watchdog holds the counters"
                                 : support.remedy;
  if (support.events.size() == 1) {
    return {"trace.counters", FindingStatus::kLimited, "cycles" + cost,
            support.reason + ": no instructions are reported", remedy};
  }
  return {"trace.counters", FindingStatus::kLimited, support.reason,
          "energy is divided by run time (--model time), whatever the code does", remedy};
}

}  // namespace powertrace::doctor
