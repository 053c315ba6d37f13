// SPDX-License-Identifier: Apache-2.0
#include "cli/cmd_stat.hpp"

#include <cerrno>
#include <cstring>
#include <optional>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "cli/child.hpp"
#include "cli/exit_code.hpp"
#include "cli/output.hpp"
#include "cli/session.hpp"
#include "model/stat.hpp"
#include "render/stat.hpp"

namespace powertrace {
namespace {

constexpr std::initializer_list<int> kForwarded = {SIGINT,  SIGTERM, SIGHUP,
                                                   SIGQUIT, SIGUSR1, SIGUSR2};

// The runs of one command, one after the other, in the session's loop.
class StatRuns {
 public:
  StatRuns(Session& session, const StatOptions& options)
      : session_(session), options_(options), pipeline_(session.pipeline()) {}

  // Until all runs are done, one could not be started or a signal asked to stop.
  Status run();

  // The exit status to pass on: the first that is not 0.
  [[nodiscard]] int exit_status() const { return exit_status_; }
  [[nodiscard]] bool interrupted() const { return interrupted_; }
  [[nodiscard]] std::vector<StatRun> take_runs() { return std::move(runs_); }

 private:
  Status watch_signals();
  Status begin();
  Status end();
  void tick();
  void on_signal(const signalfd_siginfo& info);
  // For handlers in the loop: keeps the error and stops.
  void check(const Status& status);

  Session& session_;
  const StatOptions& options_;
  Pipeline& pipeline_;
  sigset_t mask_{};  // as we found it, for the command
  std::optional<Child> child_;
  std::optional<StatMeter> meter_;
  TraceStats stats_before_;
  std::uint64_t released_ns_ = 0;
  std::vector<StatRun> runs_;
  int exit_status_ = 0;
  bool interrupted_ = false;
  Status failure_;
};

Status StatRuns::watch_signals() {
  ::pthread_sigmask(SIG_BLOCK, nullptr, &mask_);
  return session_.loop().add_signals_with_origin(
      kForwarded, [this](const signalfd_siginfo& info) { on_signal(info); });
}

void StatRuns::on_signal(const signalfd_siginfo& info) {
  const auto signal = static_cast<int>(info.ssi_signo);
  interrupted_ = interrupted_ || (signal != SIGUSR1 && signal != SIGUSR2);
  // What the terminal sends (Ctrl-C), it sends to the command as well.
  if (info.ssi_code != SI_KERNEL) {
    child_->send(signal);
  }
}

void StatRuns::check(const Status& status) {
  if (!status) {
    failure_ = status;
    session_.loop().stop();
  }
}

void StatRuns::tick() {
  pipeline_.tick();
  // The meter keeps what it needs; nobody asks for a snapshot.
  pipeline_.forget_interval();
}

Status StatRuns::run() {
  EventLoop& loop = session_.loop();
  pipeline_.observe_events([this](const pt_event& event, std::size_t size) {
    if (meter_) {
      meter_->on_event(event, size);
    }
  });
  pipeline_.observe_windows([this](const Window& window, const Attribution& attribution) {
    if (meter_) {
      meter_->add(window, attribution);
    }
  });
  PT_TRY(loop.add_timer(options_.window_ns, [this] { tick(); }));
  // Many forks fill the ring buffer faster than windows end.
  PT_TRY(loop.add_fd(pipeline_.tracer().events_fd(), [this] { tick(); }));
  PT_TRY(pipeline_.start());
  PT_TRY(watch_signals());
  PT_TRY(begin());
  PT_TRY(loop.run());
  return failure_;
}

Status StatRuns::begin() {
  PT_ASSIGN(Child child, Child::spawn(options_.command, mask_));
  child_.emplace(std::move(child));
  PT_TRY(session_.loop().add_fd(child_->end_fd(), [this] { check(end()); }));
  // Up to here nothing was the command's: its windows begin with this edge.
  tick();
  const auto zones = pipeline_.source().zones();
  meter_.emplace(static_cast<std::uint32_t>(child_->pid()),
                 std::vector<Zone>(zones.begin(), zones.end()),
                 pipeline_.source().info().expected_error);
  stats_before_ = pipeline_.tracer().stats();
  released_ns_ = monotonic_ns();
  return child_->release();
}

Status StatRuns::end() {
  const std::uint64_t ended_ns = monotonic_ns();
  tick();
  session_.loop().remove_fd(child_->end_fd());
  PT_ASSIGN(const ChildEnd child_end, child_->wait());
  exit_status_ = exit_status_ != 0 ? exit_status_ : child_end.exit_status;
  if (child_end.exec_errno != 0) {
    fmt::print(stderr, "powertrace: cannot run {}: {}\n", options_.command.front(),
               std::strerror(child_end.exec_errno));
    session_.loop().stop();
    return {};
  }
  StatRun run = meter_->result();
  meter_.reset();
  const TraceStats stats = pipeline_.tracer().stats();
  run.elapsed_ns = ended_ns - released_ns_;
  run.user_ns = child_end.user_ns;
  run.system_ns = child_end.system_ns;
  run.exit_status = child_end.exit_status;
  run.signal = child_end.signal;
  run.lost_slices = stats.lost_slices - stats_before_.lost_slices;
  run.lost_events = stats.lost_events - stats_before_.lost_events;
  // A run that was cut short says nothing about the others; alone it is all there is.
  if (!interrupted_ || runs_.empty()) {
    runs_.push_back(std::move(run));
  }
  if (interrupted_ || runs_.size() == options_.runs) {
    session_.loop().stop();
    return {};
  }
  return begin();
}

// Process ids as the kernel side sees them are those of the first PID namespace.
Status check_pid_namespace() {
  constexpr ino_t kInitialPidNamespace = 0xEFFFFFFC;
  struct stat status {};
  if (::stat("/proc/self/ns/pid", &status) == 0 && status.st_ino != kInitialPidNamespace) {
    return fail(ErrorCode::kUnsupported,
                "stat cannot tell the command's processes from inside a PID namespace; run it on "
                "the host, or in a container with the host's (docker --pid=host, hostPID: true)");
  }
  return {};
}

// Where the result goes; an error before the command runs, not after hours of it.
Result<UniqueFd> open_output(const std::string& path) {
  UniqueFd file;
  if (!path.empty()) {
    file.reset(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    if (!file.valid()) {
      return fail_errno(errno, "--output: cannot write {}", path);
    }
  }
  return file;
}

Status print(const StatReport& report, const StatOptions& options, const UniqueFd& file) {
  std::string text;
  switch (options.format) {
    case StatFormat::kTable:
      text = stat_table(report);
      break;
    case StatFormat::kJson:
      text = stat_json(report) + "\n";
      break;
    case StatFormat::kCsv:
      text = stat_csv(report);
      break;
  }
  if (file.valid()) {
    PT_TRY(write_all(file.get(), options.output, text));
  } else if (options.format == StatFormat::kTable) {
    PT_TRY(write_all(STDERR_FILENO, "standard error", text));
  } else {
    PT_TRY(write_stdout(text));
  }
  return {};
}

}  // namespace

Result<int> run_stat(const GlobalOptions& global, const StatOptions& options) {
  PT_TRY(check_pid_namespace());
  PT_ASSIGN(Session session, Session::open(global, options.window_ns, options.window_ns));
  PT_ASSIGN(const UniqueFd file, open_output(options.output));
  StatRuns runs(session, options);
  PT_TRY(runs.run());

  StatReport report;
  report.runs = runs.take_runs();
  if (report.runs.empty()) {
    return runs.exit_status();
  }
  Pipeline& pipeline = session.pipeline();
  const auto zones = pipeline.source().zones();
  report.command = options.command;
  report.realtime_ns = realtime_ns();
  report.runs_wanted = options.runs;
  report.interrupted = runs.interrupted() && report.runs.size() < options.runs;
  report.source = pipeline.source().info();
  report.model = pipeline.model();
  report.idle = pipeline.idle_policy();
  report.idle_known = pipeline.idle_known();
  report.not_counted = pipeline.tracer().counter_support().reason;
  report.zones.assign(zones.begin(), zones.end());
  PT_TRY(print(report, options, file));
  return runs.exit_status();
}

}  // namespace powertrace
