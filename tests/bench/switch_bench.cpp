// SPDX-License-Identifier: Apache-2.0
//
// What a context switch costs with powertrace watching. Two processes on one CPU hand a byte back
// and forth (two switches a round, the worst case there is) while, in turn, nothing is attached, an
// empty program, the least that any account does, powertrace without counters, and powertrace with
// counters at the default budget.
// All figures come from one run, interleaved, so that a noisy machine hits all alike:
//   - ns per switch of the program itself, from the kernel's BPF statistics, less the empty one's;
//   - how much longer a round takes than with nothing attached.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <linux/perf_event.h>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <sys/wait.h>
#include <vector>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sched.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/fd.hpp"
#include "control.skel.h"
#include "trace/tracer.hpp"

namespace powertrace {
namespace {

constexpr int kRounds = 60'000;  // of one measurement
constexpr int kRepeats = 9;      // of every variant

void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  ::sched_setaffinity(0, sizeof(set), &set);
}

// ns per round of the ping-pong on CPU `cpu`.
double ping_pong(int cpu) {
  int there[2];
  int back[2];
  int result[2];
  if (::pipe(there) != 0 || ::pipe(back) != 0 || ::pipe(result) != 0) {
    std::exit(1);
  }
  const pid_t first = ::fork();
  if (first == 0) {
    pin(cpu);
    const pid_t second = ::fork();
    char byte = 0;
    if (second == 0) {
      while (::read(there[0], &byte, 1) == 1 && byte == 0 && ::write(back[1], &byte, 1) == 1) {
      }
      ::_exit(0);
    }
    const std::uint64_t begin = monotonic_ns();
    for (int i = 0; i < kRounds; ++i) {
      if (::write(there[1], &byte, 1) != 1 || ::read(back[0], &byte, 1) != 1) {
        ::_exit(1);
      }
    }
    const double ns = static_cast<double>(monotonic_ns() - begin) / kRounds;
    byte = 1;
    const bool told =
        ::write(there[1], &byte, 1) == 1 && ::write(result[1], &ns, sizeof(ns)) == sizeof(ns);
    ::waitpid(second, nullptr, 0);
    ::_exit(told ? 0 : 1);
  }
  double ns = 0;
  if (::read(result[0], &ns, sizeof(ns)) != sizeof(ns)) {
    std::fputs("the ping-pong failed\n", stderr);
    std::exit(1);
  }
  ::waitpid(first, nullptr, 0);
  for (const int fd : {there[0], there[1], back[0], back[1], result[0], result[1]}) {
    ::close(fd);
  }
  return ns;
}

// Runs and their total length of the loaded programs of that name, by BPF statistics.
struct ProgramTime {
  std::uint64_t runs = 0;
  std::uint64_t ns = 0;
};

ProgramTime program_time(const char* name) {
  ProgramTime sum;
  __u32 id = 0;
  while (bpf_prog_get_next_id(id, &id) == 0) {
    const UniqueFd fd(bpf_prog_get_fd_by_id(id));
    bpf_prog_info info{};
    __u32 size = sizeof(info);
    if (fd.valid() && bpf_obj_get_info_by_fd(fd.get(), &info, &size) == 0 &&
        std::string(info.name) == name) {
      sum.runs += info.run_cnt;
      sum.ns += info.run_time_ns;
    }
  }
  return sum;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Variant {
  std::string name;
  std::vector<double> round_ns;
  std::vector<double> program_ns;
  std::vector<double> slowdown;  // against "nothing" of the same repeat
};

// powertrace as its loop runs it: a window every 100 ms, in a process of its own on the other CPU.
class Watcher {
 public:
  explicit Watcher(const TracerConfig& config) {
    if (::pipe(ready_) != 0) {
      std::exit(1);
    }
    pid_ = ::fork();
    if (pid_ == 0) {
      pin(0);
      auto tracer = Tracer::open(config, {});
      if (!tracer || !tracer->start()) {
        ::_exit(1);
      }
      Window window;
      for (int i = 0;; ++i) {
        ::usleep(100'000);
        tracer->end_window();
        tracer->drain_events([](const pt_event&, std::size_t) {});
        tracer->read_window(window);
        if (i == 2 && ::write(ready_[1], "", 1) != 1) {
          ::_exit(1);
        }
      }
    }
    char byte = 0;
    ::close(ready_[1]);
    if (::read(ready_[0], &byte, 1) != 1) {
      std::fputs("powertrace could not be attached\n", stderr);
      std::exit(1);
    }
  }
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  ~Watcher() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
    ::close(ready_[0]);
  }

 private:
  int ready_[2];
  pid_t pid_;
};

TracerConfig watcher_config(const std::string& variant) {
  TracerConfig config;
  config.counters = CounterMode::kOff;
  if (variant == "with counters") {
    config.counters = CounterMode::kAuto;
    if (probe_counters(0).events.empty()) {
      // No PMU: software clocks cost a tenth of a trapped read, and the budget evens that out.
      config.events = {{PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK},
                       {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK}};
    }
  }
  return config;
}

double measure(Variant& variant, int cpu, const char* program) {
  const UniqueFd stats(program != nullptr ? bpf_enable_stats(BPF_STATS_RUN_TIME) : -1);
  const ProgramTime before = program != nullptr ? program_time(program) : ProgramTime{};
  const double with_stats = ping_pong(cpu);
  if (program != nullptr) {
    const ProgramTime after = program_time(program);
    if (after.runs > before.runs) {
      variant.program_ns.push_back(static_cast<double>(after.ns - before.ns) /
                                   static_cast<double>(after.runs - before.runs));
    }
  }
  return with_stats;
}

void run_variant(Variant& variant, int cpu, double nothing_ns) {
  std::unique_ptr<control_bpf, void (*)(control_bpf*)> control(nullptr, control_bpf__destroy);
  std::optional<Watcher> watcher;
  const char* program = nullptr;
  if (variant.name == "empty program" || variant.name == "least account") {
    program = variant.name == "empty program" ? "empty" : "least";
    control.reset(control_bpf__open());
    if (control) {
      const int cpus = libbpf_num_possible_cpus();
      bpf_map__set_max_entries(control->maps.accounts, static_cast<__u32>(std::max(cpus, 1)));
      bpf_program__set_autoload(control->progs.empty, program == std::string("empty"));
      bpf_program__set_autoload(control->progs.least, program == std::string("least"));
    }
    if (!control || control_bpf__load(control.get()) != 0 ||
        control_bpf__attach(control.get()) != 0) {
      std::fprintf(stderr, "the %s could not be attached\n", variant.name.c_str());
      std::exit(1);
    }
  } else if (variant.name != "nothing") {
    watcher.emplace(watcher_config(variant.name));
    program = "on_switch";
  }
  const double round = ping_pong(cpu);
  variant.round_ns.push_back(round);
  if (nothing_ns > 0) {
    variant.slowdown.push_back(100 * (round / nothing_ns - 1));
  }
  if (program != nullptr) {
    measure(variant, cpu, program);
  }
}

}  // namespace
}  // namespace powertrace

int main() {
  using namespace powertrace;
  libbpf_set_print(nullptr);
  const int cpu = ::sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 1 : 0;
  std::vector<Variant> variants{{"nothing", {}, {}, {}},
                                {"empty program", {}, {}, {}},
                                {"least account", {}, {}, {}},
                                {"time only", {}, {}, {}},
                                {"with counters", {}, {}, {}}};
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    double nothing_ns = 0;
    for (Variant& variant : variants) {
      run_variant(variant, cpu, nothing_ns);
      if (variant.name == "nothing") {
        nothing_ns = variant.round_ns.back();
      }
      std::fprintf(stderr, "\r%d of %d ", repeat + 1, kRepeats);
    }
  }
  std::fputs("\r", stderr);
  const double empty_ns = median(variants[1].program_ns);
  const double empty_slowdown = median(variants[1].slowdown);
  std::printf("%-16s %12s %14s %16s %18s\n", "attached", "ns a round", "ns a switch",
              "net of empty", "slower (net)");
  for (const Variant& variant : variants) {
    std::printf("%-16s %12.0f", variant.name.c_str(), median(variant.round_ns));
    if (!variant.program_ns.empty()) {
      const double ns = median(variant.program_ns);
      std::printf(" %14.1f %16.1f %8.1f %% (%.1f)", ns, ns - empty_ns, median(variant.slowdown),
                  median(variant.slowdown) - empty_slowdown);
    }
    std::printf("\n");
  }
  if (probe_counters(0).events.empty()) {
    std::printf("no PMU here: \"with counters\" reads software clocks at the same budget\n");
  }
  return 0;
}
