// SPDX-License-Identifier: Apache-2.0
#include "cli/session.hpp"

#include <csignal>
#include <cstdio>

#include "base/log.hpp"
#include "cli/exit_code.hpp"
#include "render/figures.hpp"

namespace powertrace {

void block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    sigaddset(&signals, signal);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

Status refuse_replay(const GlobalOptions& global) {
  if (!global.replay.empty()) {
    return fail(ErrorCode::kUsage,
                "--source replay:{} shows the past: it works with `top --batch`; this command "
                "watches the machine as it is",
                global.replay);
  }
  return {};
}

Result<Session> Session::open(const GlobalOptions& global,
                              std::uint64_t window_ns,
                              std::uint64_t interval_ns) {
  PT_TRY(refuse_replay(global));
  PT_ASSIGN(EventLoop loop, EventLoop::create());
  PT_ASSIGN(std::unique_ptr<Pipeline> pipeline, Pipeline::open(global.pipeline));
  const std::uint64_t longest_ns = pipeline->source().max_interval_ns();
  if (window_ns > longest_ns) {
    return fail(ErrorCode::kUsage,
                "--window: the counters of source {} can wrap unseen within {} ms; use a window of "
                "at most {} ms",
                pipeline->source().info().name, window_ns / 1'000'000, longest_ns / 1'000'000);
  }
  for (const std::string& limit : pipeline->tracer().limits()) {
    log_warn("{}", limit);
  }
  Session session(std::move(loop), std::move(pipeline));
  session.window_ns_ = window_ns;
  session.verbose_ = global.verbose;
  session.interval_ns_ = interval_ns;
  return session;
}

Result<int> Session::run(const std::function<void(const SnapshotPtr&)>& on_interval) {
  PT_TRY(loop_.add_signals({SIGINT, SIGTERM, SIGHUP}, [this](int signal) {
    if (signal == SIGHUP && hangup_) {
      hangup_();
      return;
    }
    signal_ = signal;
    stop(kExitInterrupted);
  }));
  PT_TRY(loop_.add_timer(window_ns_, [&] {
    pipeline_->tick();
    // By the clock, not by counting: on a busy machine ticks come late and some not at all.
    if (pipeline_->interval_ns() + window_ns_ / 2 >= interval_ns_) {
      on_interval(pipeline_->take_snapshot());
    }
  }));
  PT_TRY(pipeline_->start());
  PT_TRY(loop_.add_fd(pipeline_->tracer().events_fd(), [this] { pipeline_->drain_events(); }));
  PT_TRY(loop_.run());
  if (verbose_) {
    std::fprintf(stderr, "powertrace: %s\n", cost_note(pipeline_->total_cost()).c_str());
  }
  return exit_code_;
}

}  // namespace powertrace
