// SPDX-License-Identifier: Apache-2.0
#include "cli/cmd_cap.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <optional>

#include "base/clock.hpp"
#include "base/event_loop.hpp"
#include "base/log.hpp"
#include "capping/guardian.hpp"
#include "capping/status.hpp"
#include "cli/cap/cap_loop.hpp"
#include "cli/cap/metrics_server.hpp"
#include "cli/exit_code.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"

namespace powertrace {
namespace {

constexpr std::uint64_t kLeastLeaseNs = 30'000'000'000;
constexpr std::uint64_t kProfileIntervalNs = 1'000'000'000;

Status check_enforce(const CapOptions& options) {
  if (options.write && options.enabled) {
    return {};
  }
  return fail(ErrorCode::kUsage,
              "`cap enforce` writes power limits, so it must be asked for twice: give --write, and "
              "set \"cap: {{enabled: true}}\" in the file named by --config (or give --enabled). "
              "`cap observe` shows what it would do");
}

// Runs `cap` in `loop` until a signal, an error, the duration or the last decision.
struct Run {
  const CapOptions& options;
  EventLoop& loop;
  CapLoop& cap;
  const std::optional<Guardian>& guardian;
  int exit_code = kExitOk;
  Status failure = {};

  Status start() {
    PT_TRY(loop.add_signals({SIGINT, SIGTERM, SIGHUP}, [this](int signal) {
      exit_code = signal == SIGINT ? kExitInterrupted : kExitOk;
      cap.restore(signal == SIGINT ? "interrupt" : "terminate");
      loop.stop();
    }));
    PT_TRY(loop.add_timer(options.tick_ns, [this] { tick(); }));
    if (options.duration_ns > 0) {
      PT_TRY(loop.add_timer(options.duration_ns, [this] { loop.stop(); }));
    }
    tick();
    return {};
  }

  void tick() {
    if (guardian) {
      guardian->beat();
    }
    failure = cap.tick();
    if (!failure || cap.done()) {
      loop.stop();
    }
  }
};

Result<int> run_plain(const CapOptions& options,
                      CapLoop& cap,
                      const std::optional<Guardian>& guardian) {
  PT_ASSIGN(EventLoop loop, EventLoop::create());
  Run run{options, loop, cap, guardian};
  PT_TRY(run.start());
  if (run.failure && !cap.done()) {
    PT_TRY(loop.run());
  }
  PT_TRY(run.failure);
  return run.exit_code;
}

Result<int> run_profiled(const GlobalOptions& global,
                         const CapOptions& options,
                         CapLoop& cap,
                         const std::optional<Guardian>& guardian) {
  constexpr std::uint64_t kWindowNs = 100'000'000;
  PT_ASSIGN(Session session, Session::open(global, kWindowNs, kProfileIntervalNs));
  Run run{options, session.loop(), cap, guardian};
  PT_TRY(session.loop().add_timer(options.tick_ns, [&run] { run.tick(); }));
  if (options.duration_ns > 0) {
    PT_TRY(session.loop().add_timer(options.duration_ns, [&session] { session.stop(kExitOk); }));
  }
  run.tick();
  PT_TRY(run.failure);
  PT_TRY(session.run([&cap](const SnapshotPtr& snapshot) { cap.add_snapshot(*snapshot); }));
  PT_TRY(run.failure);
  return session.signal() == SIGINT ? kExitInterrupted : kExitOk;
}

}  // namespace

Result<int> run_cap(const GlobalOptions& global, const CapOptions& options) {
  std::optional<Guardian> guardian;
  if (options.enforce) {
    PT_TRY(check_enforce(options));
    if (options.guardian) {
      // Before any thread and before the lock: the child must hold neither.
      const std::uint64_t lease_ns = std::max(kLeastLeaseNs, 10 * options.tick_ns);
      PT_ASSIGN(Guardian started,
                Guardian::start(StateDir(options.state_dir), global.pipeline.root, lease_ns));
      guardian.emplace(std::move(started));
    }
  }
  block_signals();
  PT_ASSIGN(const std::unique_ptr<CapLoop> cap, CapLoop::open(global, options));
  std::optional<MetricsServer> server;
  if (!options.listen.empty()) {
    PT_ASSIGN(MetricsServer opened, MetricsServer::open(options.listen));
    server.emplace(std::move(opened));
  }
  std::optional<NodeAnnotations> annotations;
  if (options.annotations) {
    annotations.emplace(*options.annotations);
  }
  cap->on_status([&server, &annotations](const CapStatus& status) {
    if (server) {
      server->publish(cap_metrics(status));
    }
    if (annotations) {
      annotations->publish(status);
    }
  });
  Result<int> code = options.profile ? run_profiled(global, options, *cap, guardian)
                                     : run_plain(options, *cap, guardian);
  if (annotations) {
    cap->restore("end");  // before anything that takes time
    annotations->finish(cap->final_status());
  }
  return code;
}

Result<int> run_cap_status(const CapStatusOptions& options) {
  const StateDir dir(options.state_dir);
  const auto text = read_file(dir.status_path());
  if (!text && text.error().sys_errno == ENOENT) {
    return fail(ErrorCode::kNotFound,
                "there is no {}: neither `cap observe` nor `cap enforce` runs or ran here",
                dir.status_path());
  }
  PT_ASSIGN(const CapStatus status,
            text ? parse_cap_status(*text) : tl::make_unexpected(text.error()));
  PT_ASSIGN(const std::optional<CapState> saved, dir.load());
  if (options.json) {
    PT_TRY(write_stdout(*text));
  } else if (options.metrics) {
    PT_TRY(write_stdout(cap_metrics(status)));
  } else {
    const auto now_s = static_cast<std::int64_t>(realtime_ns() / 1'000'000'000U);
    PT_TRY(write_stdout(
        cap_status_text(status, now_s) +
        (saved ? fmt::format("\noriginals are saved in {}\n", dir.state_path()) : std::string())));
  }
  return kExitOk;
}

Result<int> run_cap_restore(const GlobalOptions& global, const CapStatusOptions& options) {
  constexpr int kWaitMs = 10'000;  // a guardian or an ending controller may be at it
  const StateDir dir(options.state_dir);
  auto lock = dir.lock(0);
  if (!lock && options.stop) {
    const std::optional<int> holder = dir.lock_holder();
    if (!holder) {
      log_warn("{}; it cannot be ended from here, where its process cannot be seen",
               lock.error().message);
    } else if (::kill(*holder, SIGTERM) != 0) {
      log_warn("process {} cannot be ended: {}", *holder, std::strerror(errno));
    }
  }
  if (!lock) {
    PT_ASSIGN(lock, dir.lock(kWaitMs));
  }
  SysfsIo io;
  PT_ASSIGN(const RestoreReport report, restore_state(io, dir, global.pipeline.root));
  std::string text;
  for (const std::string& line : report.lines) {
    text += line + "\n";
  }
  PT_TRY(write_stdout(text));
  return report.failed == 0 ? kExitOk : kExitFailed;
}

}  // namespace powertrace
