// SPDX-License-Identifier: Apache-2.0
#include "trace/bpf_object.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <sys/utsname.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <malloc.h>
#include <unistd.h>

#include "base/log.hpp"
#include "base/sysroot.hpp"
#include "powertrace.skel.h"

namespace powertrace {
namespace {

constexpr const char* kBtfPath = "/sys/kernel/btf/vmlinux";
constexpr const char* kLockdownPath = "/sys/kernel/security/lockdown";
constexpr const char* kCapabilities =
    "it needs CAP_BPF and CAP_PERFMON: run as root, or give the binary the capabilities with "
    "`setcap cap_bpf,cap_perfmon,cap_dac_read_search+ep`";

int log_libbpf(libbpf_print_level level, const char* format, va_list args) noexcept {
  if (level == LIBBPF_DEBUG || !log_enabled(LogLevel::kDebug)) {
    return 0;
  }
  std::array<char, 4096> text{};
  // NOLINTNEXTLINE(clang-diagnostic-format-nonliteral): libbpf's own format
  const int length = std::vsnprintf(text.data(), text.size(), format, args);
  std::string_view line(text.data());
  while (!line.empty() && line.back() == '\n') {
    line.remove_suffix(1);
  }
  log_debug("libbpf: {}", line);
  return length;
}

std::string kernel_release() {
  utsname name{};
  ::uname(&name);
  return name.release;
}

bool at_least_5_15(const std::string& release) {
  int major = 0;
  int minor = 0;
  // NOLINTNEXTLINE(cert-err34-c): an unreadable release counts as old
  return std::sscanf(release.c_str(), "%d.%d", &major, &minor) == 2 &&
         (major > 5 || (major == 5 && minor >= 15));
}

Error explain_load_failure(int error) {
  const std::string release = kernel_release();
  if (error == EPERM || error == EACCES) {
    if (::geteuid() != 0) {
      return {ErrorCode::kPermission, error,
              fmt::format("the kernel refuses to load the BPF programs: {}", kCapabilities)};
    }
  }
  if (read_trimmed(kLockdownPath).value_or("").find("[confidentiality]") != std::string::npos) {
    return {ErrorCode::kUnsupported, error,
            fmt::format("kernel {} is locked down (confidentiality), so that BPF programs may not "
                        "read its memory: boot with lockdown=integrity, or switch Secure Boot off",
                        release)};
  }
  if (!at_least_5_15(release)) {
    return {ErrorCode::kUnsupported, error,
            fmt::format("kernel {} is too old: powertrace needs 5.15 or later, as it comes with "
                        "Debian 12, Ubuntu 22.04, RHEL 9 and everything newer",
                        release)};
  }
  return {ErrorCode::kUnsupported, error,
          fmt::format("kernel {} refuses the BPF programs ({}); `--log-level debug` shows the "
                      "verifier's reason, `powertrace doctor` what this kernel offers",
                      release, std::strerror(error))};
}

bool kernel_has_tracepoint(const btf* kernel, const char* name) {
  const std::string type = std::string("btf_trace_") + name;
  return btf__find_by_name_kind(kernel, type.c_str(), BTF_KIND_TYPEDEF) > 0;
}

struct OptionalProgram {
  bpf_program* program;
  const char* tracepoint;
  const char* consequence;
};

UniqueMmap map_array(const bpf_map* map, std::size_t bytes, int protection) {
  return {::mmap(nullptr, bytes, protection, MAP_SHARED, bpf_map__fd(map), 0), bytes};
}

}  // namespace

std::uint32_t default_slots_per_window(int possible_cpus) {
  constexpr std::uint64_t kTableBytes = 16U << 20U;
  const std::uint64_t fit = kTableBytes / sizeof(pt_slot) / PT_WINDOWS /
                            static_cast<std::uint64_t>(std::max(possible_cpus, 1));
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(std::bit_floor(fit | 1U), 32, 1024));
}

void BpfObject::SkeletonDeleter::operator()(powertrace_bpf* skeleton) const noexcept {
  powertrace_bpf__destroy(skeleton);
}

void BpfObject::LinkDeleter::operator()(bpf_link* link) const noexcept {
  bpf_link__destroy(link);
}

BpfObject::BpfObject(BpfObject&&) noexcept = default;
BpfObject& BpfObject::operator=(BpfObject&&) noexcept = default;
BpfObject::~BpfObject() = default;

Result<BpfObject::Skeleton> BpfObject::open_and_load(const BpfConfig& config,
                                                     bool raw_switch,
                                                     std::vector<std::string>& limits) {
  Skeleton skeleton(powertrace_bpf__open());
  if (!skeleton) {
    return fail_errno(errno, "cannot open the BPF object");
  }
  const auto cpus = static_cast<std::uint32_t>(config.possible_cpus);
  skeleton->rodata->pt_slots_per_window = config.slots_per_window;
  skeleton->rodata->pt_counters = static_cast<std::uint32_t>(config.counters);
  skeleton->rodata->pt_hierarchy = config.hierarchy_id;
  const std::uint32_t slots = cpus * PT_WINDOWS * config.slots_per_window;
  bpf_map__set_max_entries(skeleton->maps.slots, slots);
  bpf_map__set_max_entries(skeleton->maps.places, slots);
  bpf_map__set_max_entries(skeleton->maps.windows, cpus * PT_WINDOWS);
  bpf_map__set_max_entries(skeleton->maps.cpus, cpus);
  bpf_map__set_max_entries(skeleton->maps.cycles, cpus);
  bpf_map__set_max_entries(skeleton->maps.instructions, cpus);
  bpf_program__set_autoload(skeleton->progs.on_switch, !raw_switch);
  bpf_program__set_autoload(skeleton->progs.on_switch_raw, raw_switch);

  const std::array<OptionalProgram, 5> optional{{
      {skeleton->progs.on_fork, "sched_process_fork",
       "names of short-lived processes may be missing"},
      {skeleton->progs.on_exec, "sched_process_exec",
       "names of short-lived processes may be missing"},
      {skeleton->progs.on_exit, "sched_process_exit", "ended processes are not marked as such"},
      {skeleton->progs.on_mkdir, "cgroup_mkdir", "short-lived cgroups may stay unnamed"},
      {skeleton->progs.on_attach, "cgroup_attach_task", "short-lived cgroups may stay unnamed"},
  }};
  btf* kernel = btf__load_vmlinux_btf();
  if (kernel == nullptr) {
    return fail(ErrorCode::kUnsupported,
                "cannot use the kernel's type information in {} ({}), by which the BPF programs "
                "find its fields",
                kBtfPath, std::strerror(errno));
  }
  for (const auto& [program, tracepoint, consequence] : optional) {
    const bool usable = !raw_switch && kernel_has_tracepoint(kernel, tracepoint);
    bpf_program__set_autoload(program, usable);
    if (!usable) {
      limits.push_back(fmt::format("no {} events on this kernel: {}", tracepoint, consequence));
    }
  }
  btf__free(kernel);
  skeleton->rodata->pt_sees_moves = bpf_program__autoload(skeleton->progs.on_attach);

  const int error = powertrace_bpf__load(skeleton.get());
  if (error != 0) {
    return tl::make_unexpected(explain_load_failure(-error));
  }
  return skeleton;
}

Result<BpfObject> BpfObject::load(const BpfConfig& config) {
  libbpf_set_print(log_libbpf);
  if (::access(kBtfPath, R_OK) != 0) {
    return fail(ErrorCode::kUnsupported,
                "kernel {} has no BTF ({} is missing): powertrace needs a kernel 5.15 or later "
                "built with CONFIG_DEBUG_INFO_BTF=y, as those of all current distributions are",
                kernel_release(), kBtfPath);
  }
  if (config.possible_cpus > PT_MAX_CPUS) {
    return fail(ErrorCode::kUnsupported,
                "this machine has {} possible CPUs; powertrace supports {}", config.possible_cpus,
                PT_MAX_CPUS);
  }
  BpfConfig sized = config;
  if (sized.slots_per_window == 0) {
    sized.slots_per_window = default_slots_per_window(config.possible_cpus);
  }

  BpfObject object;
  object.slots_per_window_ = sized.slots_per_window;
  object.raw_switch_ = !config.typed_tracepoints;
  auto skeleton = open_and_load(sized, object.raw_switch_, object.limits_);
  if (!skeleton && !object.raw_switch_ && skeleton.error().code == ErrorCode::kUnsupported) {
    std::vector<std::string> limits{"typed tracepoints (tp_btf) are refused: using raw_tp"};
    if (auto raw = open_and_load(sized, true, limits)) {
      skeleton = std::move(raw);
      object.raw_switch_ = true;
      object.limits_ = std::move(limits);
    }
  }
  if (!skeleton) {
    return tl::make_unexpected(skeleton.error());
  }
  object.skeleton_ = std::move(*skeleton);
  PT_TRY(object.map_tables(sized));
  // libbpf took the kernel's type information apart: 10 MB that malloc would keep.
  ::malloc_trim(0);
  return object;
}

Status BpfObject::map_tables(const BpfConfig& config) {
  const auto cpus = static_cast<std::size_t>(config.possible_cpus);
  const auto& maps = skeleton_->maps;
  const std::size_t slots = cpus * PT_WINDOWS * config.slots_per_window;
  slots_map_ = map_array(maps.slots, slots * sizeof(pt_slot), PROT_READ);
  places_map_ = map_array(maps.places, slots * sizeof(__u64), PROT_READ);
  windows_map_ = map_array(maps.windows, cpus * PT_WINDOWS * sizeof(pt_window), PROT_READ);
  cpus_map_ = map_array(maps.cpus, cpus * sizeof(pt_cpu), PROT_READ | PROT_WRITE);
  if (!slots_map_.valid() || !places_map_.valid() || !windows_map_.valid() || !cpus_map_.valid()) {
    return fail_errno(errno, "cannot map the window tables");
  }
  cpus_ = std::span(static_cast<pt_cpu*>(cpus_map_.get()), cpus);
  return {};
}

Status BpfObject::attach() {
  const bpf_program* on_switch =
      raw_switch_ ? skeleton_->progs.on_switch_raw : skeleton_->progs.on_switch;
  for (const bpf_program* program :
       {on_switch, static_cast<const bpf_program*>(skeleton_->progs.on_fork),
        static_cast<const bpf_program*>(skeleton_->progs.on_exec),
        static_cast<const bpf_program*>(skeleton_->progs.on_exit),
        static_cast<const bpf_program*>(skeleton_->progs.on_mkdir),
        static_cast<const bpf_program*>(skeleton_->progs.on_attach)}) {
    if (!bpf_program__autoload(program)) {
      continue;
    }
    std::unique_ptr<bpf_link, LinkDeleter> link(bpf_program__attach(program));
    if (link) {
      links_.push_back(std::move(link));
    } else if (program == on_switch) {
      return fail_errno(errno, "cannot attach to sched_switch ({})", kCapabilities);
    } else {
      limits_.push_back(fmt::format("{} could not be attached ({})", bpf_program__name(program),
                                    std::strerror(errno)));
    }
  }
  return {};
}

int BpfObject::run_on_cpu(Program program, int cpu, std::uint32_t* returned) const {
  LIBBPF_OPTS(bpf_test_run_opts, options, .flags = BPF_F_TEST_RUN_ON_CPU,
              .cpu = static_cast<std::uint32_t>(cpu));
  const bpf_program* chosen =
      program == Program::kFlush ? skeleton_->progs.flush : skeleton_->progs.time_counters;
  const int error = -bpf_prog_test_run_opts(bpf_program__fd(chosen), &options);
  if (returned != nullptr) {
    *returned = options.retval;
  }
  return error;
}

volatile pt_live& BpfObject::live() const {
  return skeleton_->data->live;
}

const pt_window& BpfObject::window(int cpu, std::uint64_t number) const {
  return static_cast<const pt_window*>(
      windows_map_.get())[pt_window_index(static_cast<__u32>(cpu), number)];
}

int BpfObject::events_fd() const {
  return bpf_map__fd(skeleton_->maps.events);
}

int BpfObject::counter_map_fd(int counter) const {
  return bpf_map__fd(counter == 0 ? skeleton_->maps.cycles : skeleton_->maps.instructions);
}

}  // namespace powertrace
