// SPDX-License-Identifier: Apache-2.0
//
// One function per question; each looks at what it is given and nothing else, so that tests can ask
// about machines they do not have.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/finding.hpp"
#include "base/result.hpp"
#include "base/sysroot.hpp"
#include "base/topology.hpp"
#include "energy/registry.hpp"
#include "identity/cgroup_mount.hpp"
#include "trace/tracer.hpp"

namespace powertrace::doctor {

// What this process may do: effective capabilities as in /proc/PID/status, and whether it is root.
struct Privileges {
  std::uint64_t capabilities = 0;  // bit by number
  bool root = false;
  [[nodiscard]] bool has(int capability) const { return (capabilities >> capability & 1U) != 0; }
};
Privileges parse_privileges(std::string_view proc_status);

// kernel_checks.cpp
Finding check_kernel_version(const SysRoot& root);
Finding check_btf(const SysRoot& root);
Finding check_lockdown(const SysRoot& root);
Finding check_clocksource(const SysRoot& root);
Finding check_cpus(const Result<Topology>& topology);
Finding check_nohz_full(const SysRoot& root);

// privilege_checks.cpp
std::vector<Finding> check_capabilities(const Privileges& privileges);
Finding check_perf_paranoid(const SysRoot& root, const Privileges& privileges);
Finding check_unprivileged_bpf(const SysRoot& root, const Privileges& privileges);
Finding check_memlock(std::uint64_t soft_limit_bytes);

// platform_checks.cpp
Finding check_virtual_machine(const SysRoot& root);
// `pid_namespace`: the target of /proc/self/ns/pid.
Finding check_pid_namespace(const SysRoot& root, std::string_view pid_namespace);
Finding check_cgroups(const CgroupMount& mount);

// trace_checks.cpp
// An opened and attached tracer, or why there is none.
Finding check_bpf(const Result<Tracer>& tracer);
Finding check_counters(const CounterSupport& support, double reading_ns);

// energy_checks.cpp
std::vector<Finding> check_sources(const Result<SourceChoice>& choice);
// Reads the zones twice, 50 ms apart.
std::vector<Finding> check_zones(EnergySource& source);
// A register of one CPU through its device, as the msr module offers it.
Result<std::uint64_t> read_msr(const std::string& device, std::uint32_t number);
Finding check_filtering(const SysRoot& root, const Result<std::uint64_t>& package_control);
// Nothing to say where the register cannot be read.
std::optional<Finding> check_limit_lock(const Result<std::uint64_t>& package_power_limit);

}  // namespace powertrace::doctor
