// SPDX-License-Identifier: Apache-2.0
#include "cli/selftest/stage.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "cli/selftest/load.hpp"

namespace powertrace {
namespace {

constexpr std::uint64_t kWindowNs = 100'000'000;

// Counts for the process and all it starts; invalid where there is no such counter.
UniqueFd open_cycles(pid_t pid) {
  perf_event_attr attr{};
  attr.size = sizeof attr;
  attr.type = PERF_TYPE_HARDWARE;
  attr.config = PERF_COUNT_HW_CPU_CYCLES;
  attr.inherit = 1;
  return UniqueFd(
      static_cast<int>(::syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC)));
}

}  // namespace

Stage::Stage(Pipeline& pipeline) : pipeline_(pipeline) {
  pipeline_.observe_events([this](const pt_event& event, std::size_t size) {
    for (Actor& actor : actors_) {
      actor.meter.on_event(event, size);
    }
  });
  pipeline_.observe_windows([this](const Window& window, const Attribution& attribution) {
    on_window(window, attribution);
  });
}

Stage::~Stage() {
  pipeline_.observe_events(nullptr);
  pipeline_.observe_windows(nullptr);
  for (const Actor& actor : actors_) {
    actor.child.send(SIGKILL);
  }
}

void Stage::on_window(const Window& window, const Attribution& attribution) {
  ++balance_.windows;
  std::uint64_t named_ns = 0;
  for (const TaskUse& use : window.tasks) {
    named_ns += comm_view(use.comm) == kLoadComm ? use.run_ns : 0;
  }
  for (Actor& actor : actors_) {
    actor.meter.add(window, attribution);
    Measured& measured = actor.measured;
    const auto root = static_cast<std::uint32_t>(actor.child.pid());
    bool ran = false;
    measured.named_ns += named_ns;
    for (const TaskUse& use : window.tasks) {
      if (use.tgid == root) {
        ran = ran || use.run_ns > 0;
        // It takes its name only when it is under way.
        measured.named_ns += comm_view(use.comm) == kLoadComm ? 0 : use.run_ns;
      }
    }
    if (!ran) {
      actor.absent += measured.windows > 0 ? 1 : 0;
      continue;
    }
    measured.windows += 1 + actor.absent;
    measured.windows_without += actor.absent;
    actor.absent = 0;
  }
}

Status Stage::start() {
  balance_.zones = pipeline_.source().zones().size();
  PT_TRY(pipeline_.start());
  edge_ns_ = monotonic_ns() + kWindowNs;
  return {};
}

void Stage::tick() {
  pipeline_.tick();
  edge_ns_ = monotonic_ns() + kWindowNs;
}

void Stage::wait() {
  std::vector<pollfd> fds{{pipeline_.tracer().events_fd(), POLLIN, 0}};
  for (const Actor& actor : actors_) {
    fds.push_back({actor.ended ? -1 : actor.child.end_fd(), POLLIN, 0});
  }
  const std::uint64_t now_ns = monotonic_ns();
  const std::uint64_t left_ns = edge_ns_ > now_ns ? edge_ns_ - now_ns : 0;
  const timespec timeout{0, static_cast<long>(std::min<std::uint64_t>(left_ns, kWindowNs))};
  if (::ppoll(fds.data(), fds.size(), &timeout, nullptr) > 0) {
    for (std::size_t i = 0; i < actors_.size(); ++i) {
      actors_[i].ended = actors_[i].ended || fds[i + 1].revents != 0;
    }
    if (fds.front().revents != 0) {
      pipeline_.drain_events();  // many forks fill the buffer faster than windows end
    }
  }
}

SelfCost Stage::settle() {
  const SnapshotPtr snapshot = pipeline_.take_snapshot();
  for (std::size_t zone = 0; zone < snapshot->zones.size(); ++zone) {
    const LedgerZone& use = snapshot->zone_use[zone];
    std::int64_t rows_nj = use.idle_nj + use.unattributed_nj;
    for (const SnapshotTask& task : snapshot->tasks) {
      rows_nj += task.use.energy_nj[zone];
    }
    balance_.imbalance_nj = std::max(balance_.imbalance_nj, std::abs(rows_nj - use.energy_nj));
    balance_.energy_nj += snapshot->zones[zone].in_total ? use.energy_nj : 0;
  }
  balance_.lost_slices += snapshot->self.lost_slices;
  balance_.lost_events += snapshot->self.lost_events;
  return snapshot->self;
}

SelfCost Stage::rest(std::uint64_t time_ns) {
  tick();
  settle();
  for (const std::uint64_t end_ns = monotonic_ns() + time_ns; monotonic_ns() < end_ns;) {
    wait();
    if (monotonic_ns() >= edge_ns_) {
      tick();
    }
  }
  return settle();
}

Result<Child> Stage::spawn(const LoadSpec& load) {
  sigset_t none;
  sigemptyset(&none);
  return Child::spawn({"/proc/self/exe", "selftest", "--load", load.name, "--load-time",
                       fmt::format("{}ms", load.time_ns / 1'000'000)},
                      none);
}

Status Stage::finish(Actor& actor) {
  Measured& measured = actor.measured;
  PT_ASSIGN(const ChildEnd end, actor.child.wait());
  measured.exit_status = end.exit_status;
  measured.cpu_ns = end.user_ns + end.system_ns;
  measured.run = actor.meter.result();
  std::uint64_t cycles = 0;
  if (actor.cycles.valid() &&
      ::read(actor.cycles.get(), &cycles, sizeof cycles) == ssize_t{sizeof cycles}) {
    measured.perf_cycles = cycles;
  }
  return {};
}

Result<std::vector<Measured>> Stage::run(std::span<const LoadSpec> loads) {
  std::vector<Child> children;
  for (const LoadSpec& load : loads) {
    PT_ASSIGN(Child child, spawn(load));
    children.push_back(std::move(child));
  }
  // Up to here nothing was theirs; the events of their birth are taken in.
  tick();
  const auto zones = pipeline_.source().zones();
  actors_.clear();
  for (Child& child : children) {
    const pid_t pid = child.pid();
    actors_.push_back({std::move(child),
                       StatMeter(static_cast<std::uint32_t>(pid), {zones.begin(), zones.end()},
                                 pipeline_.source().info().expected_error),
                       open_cycles(pid),
                       {},
                       0,
                       false});
  }
  for (Actor& actor : actors_) {
    PT_TRY(actor.child.release());
  }
  const auto runs = [](const Actor& actor) { return !actor.ended; };
  while (std::any_of(actors_.begin(), actors_.end(), runs)) {
    wait();
    if (monotonic_ns() >= edge_ns_) {
      tick();
    }
  }
  tick();
  std::vector<Measured> results;
  for (Actor& actor : actors_) {
    PT_TRY(finish(actor));
    results.push_back(actor.measured);
  }
  actors_.clear();
  settle();
  return results;
}

}  // namespace powertrace
