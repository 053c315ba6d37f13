// SPDX-License-Identifier: Apache-2.0
#include "doctor/doctor.hpp"

#include <array>
#include <sys/resource.h>
#include <utility>

#include <unistd.h>

#include "doctor/checks.hpp"

namespace powertrace {
namespace {

using doctor::Privileges;

constexpr const char* kMsrDevice = "/dev/cpu/0/msr";
constexpr std::uint32_t kPackageControl = 0xBC;      // IA32_MISC_PACKAGE_CTLS
constexpr std::uint32_t kPackagePowerLimit = 0x610;  // MSR_PKG_POWER_LIMIT, Intel

// The process's own /proc, wherever the host's is mounted for everything else.
Privileges own_privileges() {
  return doctor::parse_privileges(read_file("/proc/self/status").value_or(""));
}

std::string own_pid_namespace() {
  std::array<char, 64> target{};
  const ssize_t length = ::readlink("/proc/self/ns/pid", target.data(), target.size());
  return {target.data(), static_cast<std::size_t>(length > 0 ? length : 0)};
}

std::uint64_t own_memlock() {
  rlimit limit{};
  ::getrlimit(RLIMIT_MEMLOCK, &limit);
  return limit.rlim_cur;
}

Result<Tracer> open_and_attach(const DoctorConfig& config, const CgroupMount& cgroups) {
  TracerConfig trace = config.trace;
  trace.hierarchy_id = cgroups.hierarchy_id;
  PT_ASSIGN(Tracer tracer, Tracer::open(trace, config.root));
  PT_TRY(tracer.start());
  return tracer;
}

class Report {
 public:
  void add(Finding finding) { findings_.push_back(std::move(finding)); }
  void add(std::vector<Finding> findings) {
    for (Finding& finding : findings) {
      findings_.push_back(std::move(finding));
    }
  }
  std::vector<Finding> take() { return std::move(findings_); }

 private:
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> examine(const DoctorConfig& config) {
  const SysRoot& root = config.root;
  const Privileges privileges = own_privileges();
  const CgroupMount cgroups = find_cgroup_mount(root);
  const Result<Topology> topology = read_topology(root);
  Report report;
  report.add(doctor::check_kernel_version(root));
  report.add(doctor::check_btf(root));
  report.add(doctor::check_lockdown(root));
  report.add(doctor::check_perf_paranoid(root, privileges));
  report.add(doctor::check_unprivileged_bpf(root, privileges));
  report.add(doctor::check_capabilities(privileges));
  report.add(doctor::check_memlock(own_memlock()));
  report.add(doctor::check_cpus(topology));
  report.add(doctor::check_nohz_full(root));
  report.add(doctor::check_clocksource(root));
  report.add(doctor::check_virtual_machine(root));
  report.add(doctor::check_pid_namespace(root, own_pid_namespace()));
  report.add(doctor::check_cgroups(cgroups));

  const Result<Tracer> tracer = open_and_attach(config, cgroups);
  report.add(doctor::check_bpf(tracer));
  if (tracer) {
    report.add(doctor::check_counters(tracer->counter_support(), tracer->reading_ns()));
  } else if (topology) {
    report.add(doctor::check_counters(probe_counters(topology->online.front()), 0));
  }

  const Result<SourceChoice> choice = open_source(config.sources, root, config.synthetic);
  report.add(doctor::check_sources(choice));
  if (choice) {
    report.add(doctor::check_zones(*choice->source));
  }
  if (choice && choice->source->info().measured) {
    report.add(doctor::check_filtering(root, doctor::read_msr(kMsrDevice, kPackageControl)));
    if (auto lock = doctor::check_limit_lock(doctor::read_msr(kMsrDevice, kPackagePowerLimit))) {
      report.add(std::move(*lock));
    }
  }
  return report.take();
}

}  // namespace powertrace
