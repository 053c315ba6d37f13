// SPDX-License-Identifier: Apache-2.0
#include "doctor/checks.hpp"

#include <sys/resource.h>

#include <doctest/doctest.h>

#include "support/temp_dir.hpp"

namespace powertrace::doctor {
namespace {

using enum FindingStatus;

struct Machine {
  test::TempDir dir;
  [[nodiscard]] SysRoot root() const { return {dir.path("sys"), dir.path("proc")}; }
};

Privileges with(std::uint64_t capabilities, bool root = false) {
  return {capabilities, root};
}
constexpr std::uint64_t kBpf = 1ULL << 39U;
constexpr std::uint64_t kPerfmon = 1ULL << 38U;
constexpr std::uint64_t kSysAdmin = 1ULL << 21U;
constexpr std::uint64_t kDacReadSearch = 1ULL << 2U;

FindingStatus status_of(const std::vector<Finding>& findings, const std::string& id) {
  for (const Finding& finding : findings) {
    if (finding.id == id) {
      return finding.status;
    }
  }
  FAIL("no finding ", id);
  return kMissing;
}

}  // namespace

TEST_CASE("doctor: kernels before 5.15 are refused") {
  const Machine machine;
  const auto status_for = [&](const std::string& release) {
    machine.dir.write("proc/sys/kernel/osrelease", release + "\n");
    return check_kernel_version(machine.root()).status;
  };
  CHECK(status_for("5.15.0") == kOk);
  CHECK(status_for("6.1.0-18-amd64") == kOk);
  CHECK(status_for("10.0") == kOk);
  CHECK(status_for("5.14.21") == kMissing);
  CHECK(status_for("5.4.0-generic") == kMissing);
  CHECK(status_for("4.19.0") == kMissing);
  CHECK(status_for("custom") == kMissing);
  CHECK(status_for("") == kMissing);
  machine.dir.remove("proc");
  CHECK(check_kernel_version(machine.root()).status == kLimited);
}

TEST_CASE("doctor: BTF is a file in sysfs") {
  const Machine machine;
  CHECK(check_btf(machine.root()).status == kMissing);
  machine.dir.write("sys/kernel/btf/vmlinux", "btf");
  CHECK(check_btf(machine.root()).status == kOk);
}

TEST_CASE("doctor: only confidential lockdown is in the way") {
  const Machine machine;
  const auto status_for = [&](const std::string& text) {
    machine.dir.write("sys/kernel/security/lockdown", text);
    return check_lockdown(machine.root()).status;
  };
  CHECK(check_lockdown(machine.root()).status == kOk);
  CHECK(status_for("[none] integrity confidentiality\n") == kOk);
  CHECK(status_for("none [integrity] confidentiality\n") == kOk);
  CHECK(status_for("none integrity [confidentiality]\n") == kLimited);
  CHECK(status_for("][") == kOk);
}

TEST_CASE("doctor: slow clocks and tickless CPUs are limits") {
  const Machine machine;
  CHECK(check_clocksource(machine.root()).status == kLimited);
  const std::string file = "sys/devices/system/clocksource/clocksource0/current_clocksource";
  machine.dir.write(file, "kvm-clock\n");
  CHECK(check_clocksource(machine.root()).status == kOk);
  machine.dir.write(file, "hpet\n");
  CHECK(check_clocksource(machine.root()).status == kLimited);

  CHECK(check_nohz_full(machine.root()).status == kOk);
  machine.dir.write("sys/devices/system/cpu/nohz_full", "(null)\n");
  CHECK(check_nohz_full(machine.root()).status == kOk);
  machine.dir.write("sys/devices/system/cpu/nohz_full", "2-7\n");
  CHECK(check_nohz_full(machine.root()).what == "no scheduler tick on CPUs 2-7");
}

TEST_CASE("doctor: CPUs and sockets are counted, an unknown topology is fatal") {
  Topology topology;
  topology.possible = 8;
  topology.online = {0, 1, 4, 5};
  topology.socket_of = {0, 0, 0, 0, 1, 1, 1, 1};
  CHECK(check_cpus(topology).what == "4 of 8 possible CPUs online, 2 sockets");
  const Result<Topology> unknown = fail(ErrorCode::kNotFound, "no sysfs");
  CHECK(check_cpus(unknown).status == kMissing);
}

TEST_CASE("doctor: privileges are read from a process's status") {
  const Privileges root =
      parse_privileges("Name:\tx\nUid:\t0\t0\t0\t0\nCapEff:\t000001ffffffffff\n");
  CHECK(root.root);
  CHECK(root.has(39));
  const Privileges nobody =
      parse_privileges("Uid:\t65534\t65534\t65534\t65534\nCapInh:\tff\nCapEff:\t0000000000000000");
  CHECK_FALSE(nobody.root);
  CHECK(nobody.capabilities == 0);
  const Privileges nothing = parse_privileges("");
  CHECK_FALSE(nothing.root);
  CHECK(nothing.capabilities == 0);
}

TEST_CASE("doctor: each missing capability is named") {
  const auto none = check_capabilities(with(0));
  CHECK(status_of(none, "privilege.bpf") == kMissing);
  CHECK(status_of(none, "privilege.perfmon") == kMissing);
  CHECK(status_of(none, "privilege.files") == kLimited);
  const auto least = check_capabilities(with(kBpf | kPerfmon | kDacReadSearch));
  CHECK(status_of(least, "privilege.bpf") == kOk);
  CHECK(status_of(least, "privilege.perfmon") == kOk);
  CHECK(status_of(least, "privilege.files") == kOk);
  const auto half = check_capabilities(with(kPerfmon));
  CHECK(status_of(half, "privilege.bpf") == kMissing);
  CHECK(status_of(half, "privilege.perfmon") == kOk);
  // A kernel before CAP_BPF knew only this one; it still implies both.
  CHECK(status_of(check_capabilities(with(kSysAdmin)), "privilege.bpf") == kOk);
  // Root in a container: may read root's files, may load nothing.
  const auto contained = check_capabilities(with(0, true));
  CHECK(status_of(contained, "privilege.files") == kOk);
  CHECK(status_of(contained, "privilege.bpf") == kMissing);
}

TEST_CASE("doctor: perf_event_paranoid matters only without CAP_PERFMON") {
  const Machine machine;
  CHECK(check_perf_paranoid(machine.root(), with(kPerfmon)).status == kLimited);
  const auto status_for = [&](const std::string& level, std::uint64_t capabilities) {
    machine.dir.write("proc/sys/kernel/perf_event_paranoid", level);
    return check_perf_paranoid(machine.root(), with(capabilities)).status;
  };
  CHECK(status_for("2\n", 0) == kLimited);
  CHECK(status_for("2\n", kPerfmon) == kOk);
  CHECK(status_for("4\n", kSysAdmin) == kOk);
  CHECK(status_for("0\n", 0) == kOk);
  CHECK(status_for("-1\n", 0) == kOk);
}

TEST_CASE("doctor: locked memory and unprivileged BPF are told, never held against anyone") {
  const Machine machine;
  machine.dir.write("proc/sys/kernel/unprivileged_bpf_disabled", "2\n");
  CHECK(check_unprivileged_bpf(machine.root(), with(0)).status == kOk);
  CHECK(check_unprivileged_bpf(machine.root(), with(0)).what ==
        "kernel.unprivileged_bpf_disabled is 2");
  CHECK(check_memlock(8U << 20U).what.find("8192 KiB") != std::string::npos);
  CHECK(check_memlock(RLIM_INFINITY).what == "locked memory is unlimited");
}

TEST_CASE("doctor: a virtual machine is recognised by its CPU flag") {
  const Machine machine;
  machine.dir.write("proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu sgx hypervisor lahf_lm\n");
  machine.dir.write("sys/class/dmi/id/sys_vendor", "QEMU\n");
  CHECK(check_virtual_machine(machine.root()).what == "a virtual machine (QEMU)");
  machine.dir.write("proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu hypervisors lahf_lm\n");
  CHECK(check_virtual_machine(machine.root()).what == "no sign of a virtual machine");
  machine.dir.write("sys/hypervisor/type", "xen\n");
  CHECK(check_virtual_machine(machine.root()).what == "a virtual machine (xen)");
}

TEST_CASE("doctor: a PID namespace hides processes unless the host's /proc is given") {
  const SysRoot own;
  CHECK(check_pid_namespace(own, "pid:[4026531836]").status == kOk);
  CHECK(check_pid_namespace(own, "pid:[4026532201]").status == kLimited);
  CHECK(check_pid_namespace({"/sys", "/host/proc"}, "pid:[4026532201]").status == kOk);
}

TEST_CASE("doctor: every cgroup hierarchy will do, none will not") {
  CHECK(check_cgroups({}).status == kLimited);
  CHECK(check_cgroups({CgroupHierarchy::kV2, "/sys/fs/cgroup", "/", 0}).status == kOk);
  CHECK(check_cgroups({CgroupHierarchy::kHybrid, "/sys/fs/cgroup/unified", "/", 0}).status == kOk);
  CHECK(check_cgroups({CgroupHierarchy::kV1, "/sys/fs/cgroup/cpu", "/", 3}).what ==
        "cgroups v1 in /sys/fs/cgroup/cpu (hierarchy 3)");
}

TEST_CASE("doctor: why the programs do not load, and what would help") {
  const Result<Tracer> refused = fail(ErrorCode::kPermission, "needs CAP_BPF");
  CHECK(check_bpf(refused).status == kMissing);
  CHECK(check_bpf(refused).why == "needs CAP_BPF");
  CHECK(check_bpf(refused).remedy.find("root") != std::string::npos);
  const Result<Tracer> old = fail(ErrorCode::kUnsupported, "too old");
  CHECK(check_bpf(old).remedy.find("root") == std::string::npos);
}

TEST_CASE("doctor: counters, their cost, and what follows without them") {
  CounterSupport support;
  support.events = {{0, 0}, {0, 1}};
  CHECK(check_counters(support, 87.4).what == "cycles and instructions, 87 ns a reading");
  support.events.pop_back();
  support.reason = "no instruction counter: busy";
  CHECK(check_counters(support, 0).status == kLimited);
  CHECK_FALSE(check_counters(support, 0).remedy.empty());
  support.events.clear();
  CHECK(check_counters(support, 0).why.find("run time") != std::string::npos);
}

}  // namespace powertrace::doctor
