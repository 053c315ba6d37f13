// SPDX-License-Identifier: Apache-2.0
#include "cli/cmd_record.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <sys/signalfd.h>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "base/log.hpp"
#include "cli/child.hpp"
#include "cli/exit_code.hpp"
#include "cli/session.hpp"
#include "identity/cgroup_mount.hpp"
#include "powertrace/version.h"
#include "record/recorder.hpp"
#include "render/figures.hpp"

namespace powertrace {
namespace {

constexpr std::uint64_t kProgressNs = 500'000'000;

std::string format_bytes(std::uint64_t bytes) {
  if (bytes < 100'000) {
    return fmt::format("{} bytes", bytes);
  }
  return fmt::format("{:.2f} MB", static_cast<double>(bytes) / 1e6);
}

class RecordRun {
 public:
  RecordRun(Session& session, const RecordOptions& options, record::Recorder& recorder)
      : session_(session), options_(options), recorder_(recorder) {}

  Status run(record::Focus focus);
  [[nodiscard]] int exit_status() const { return interrupted_ ? kExitInterrupted : exit_status_; }

 private:
  Status watch_signals();
  void on_signal(const signalfd_siginfo& info);
  Status start_command();
  Status end_command();
  void tick();
  void show_progress();
  void check(const Status& status);

  Session& session_;
  const RecordOptions& options_;
  record::Recorder& recorder_;
  sigset_t mask_{};  // as we found it, for the command
  std::optional<Child> child_;
  int exit_status_ = kExitOk;
  bool interrupted_ = false;
  bool terminal_ = ::isatty(STDERR_FILENO) == 1;
  std::uint64_t shown_ns_ = 0;
  Status failure_;
};

Status RecordRun::watch_signals() {
  ::pthread_sigmask(SIG_BLOCK, nullptr, &mask_);
  return session_.loop().add_signals_with_origin(
      {SIGINT, SIGTERM, SIGHUP}, [this](const signalfd_siginfo& info) { on_signal(info); });
}

// With a command, its end ends the recording: what it does on a signal belongs to it.
void RecordRun::on_signal(const signalfd_siginfo& info) {
  if (!child_) {
    interrupted_ = true;
    session_.loop().stop();
    return;
  }
  // What the terminal sends (Ctrl-C), it sends to the command as well.
  if (info.ssi_code != SI_KERNEL) {
    child_->send(static_cast<int>(info.ssi_signo));
  }
}

void RecordRun::check(const Status& status) {
  if (!status) {
    failure_ = status;
    session_.loop().stop();
  }
}

void RecordRun::tick() {
  session_.pipeline().tick();
  // The recorder keeps what it needs; nobody asks for a snapshot.
  session_.pipeline().forget_interval();
  check(recorder_.failure());
  const record::Progress& progress = recorder_.progress();
  const std::uint64_t length_ns = progress.end_ns - progress.start_ns;
  if (recorder_.full() || (options_.duration_ns > 0 && length_ns >= options_.duration_ns)) {
    session_.loop().stop();
  }
  if (terminal_ && length_ns >= shown_ns_ + kProgressNs) {
    shown_ns_ = length_ns;
    show_progress();
  }
}

void RecordRun::show_progress() {
  const record::Progress& progress = recorder_.progress();
  fmt::print(stderr, "\r\033[Krecording {:.1f} s, {} windows, {}, {}; Ctrl-C ends",
             static_cast<double>(progress.end_ns - progress.start_ns) / 1e9, progress.windows,
             format_joules(static_cast<double>(progress.energy_nj) / 1e9),
             format_bytes(progress.bytes));
  std::fflush(stderr);
}

Status RecordRun::start_command() {
  PT_ASSIGN(Child child, Child::spawn(options_.command, mask_));
  child_.emplace(std::move(child));
  PT_TRY(session_.loop().add_fd(child_->end_fd(), [this] { check(end_command()); }));
  // Up to here nothing was the command's: its windows begin with this edge, and the event of its
  // birth is taken in.
  tick();
  recorder_.begin(record::Focus::process(static_cast<std::uint32_t>(child_->pid())));
  PT_TRY(recorder_.failure());
  return child_->release();
}

Status RecordRun::end_command() {
  tick();
  session_.loop().stop();
  session_.loop().remove_fd(child_->end_fd());
  PT_ASSIGN(const ChildEnd end, child_->wait());
  exit_status_ = end.exit_status;
  if (end.exec_errno != 0) {
    fmt::print(stderr, "powertrace: cannot run {}: {}\n", options_.command.front(),
               std::strerror(end.exec_errno));
  }
  return {};
}

Status RecordRun::run(record::Focus focus) {
  EventLoop& loop = session_.loop();
  Pipeline& pipeline = session_.pipeline();
  PT_TRY(watch_signals());
  PT_TRY(loop.add_timer(options_.window_ns, [this] { tick(); }));
  PT_TRY(loop.add_fd(pipeline.tracer().events_fd(), [&pipeline] { pipeline.drain_events(); }));
  if (recorder_.samples_fd() >= 0) {
    // Births first: samples of a process that nobody knows yet would be somebody else's.
    PT_TRY(loop.add_fd(recorder_.samples_fd(), [this, &pipeline] {
      pipeline.drain_events();
      recorder_.drain();
    }));
  }
  PT_TRY(pipeline.start());
  if (options_.command.empty()) {
    recorder_.begin(std::move(focus));
    PT_TRY(recorder_.failure());
  } else {
    PT_TRY(start_command());
  }
  const Status looped = loop.run();
  if (looped && interrupted_) {
    tick();  // up to here it was asked for
  }
  if (terminal_ && shown_ns_ > 0) {
    fmt::print(stderr, "\r\033[K");
  }
  PT_TRY(looped);
  return failure_;
}

// "/sys/fs/cgroup/a" and "/a" are the same cgroup; it must exist.
Result<record::Focus> focus_on_cgroup(const SysRoot& root, std::string path) {
  const CgroupMount mount = find_cgroup_mount(root);
  const std::string shown = mount.root == "/" ? "" : mount.root;
  if (path.starts_with(mount.directory + "/")) {
    path = shown + path.substr(mount.directory.size());
  }
  while (path.size() > 1 && path.back() == '/') {
    path.pop_back();
  }
  if (!path.starts_with('/')) {
    path.insert(0, "/");
  }
  const std::string directory =
      mount.directory + (path.starts_with(shown) ? path.substr(shown.size()) : path);
  if (::access(directory.c_str(), F_OK) != 0) {
    return fail_errno(errno, "--cgroup: no cgroup {} (looked for {})", path, directory);
  }
  return record::Focus::cgroup(path);
}

Result<record::Focus> make_focus(const GlobalOptions& global, const RecordOptions& options) {
  if (!options.cgroup.empty()) {
    return focus_on_cgroup(global.pipeline.root, options.cgroup);
  }
  if (options.pid) {
    const std::string path = global.pipeline.root.proc(std::to_string(*options.pid));
    if (::access(path.c_str(), F_OK) != 0) {
      return fail(ErrorCode::kNotFound, "--pid: there is no process {}", *options.pid);
    }
    return record::Focus::process(*options.pid);
  }
  return record::Focus::everything();
}

void say_goodbye(const record::Progress& progress, const RecordOptions& options) {
  const std::string where = options.output == "-" ? "standard output" : options.output;
  fmt::print(stderr, "powertrace: recorded {:.1f} s, {} windows, {} into {} ({}{}{})\n",
             static_cast<double>(progress.end_ns - progress.start_ns) / 1e9, progress.windows,
             format_joules(static_cast<double>(progress.energy_nj) / 1e9), where,
             format_bytes(progress.bytes),
             (progress.samples > 0 ? fmt::format(", {} stack samples", progress.samples) : "") +
                 (progress.samples_lost > 0 ? fmt::format(", {} lost", progress.samples_lost) : ""),
             progress.files > 1 ? fmt::format(" in {} files", progress.files) : "");
}

}  // namespace

Result<int> run_record(const GlobalOptions& global, const RecordOptions& options) {
  if (options.output == "-" && ::isatty(STDOUT_FILENO) == 1) {
    return fail(ErrorCode::kUsage,
                "--output -: a recording is no text for a terminal; redirect it or name a file");
  }
  PT_ASSIGN(record::Focus focus, make_focus(global, options));
  PT_ASSIGN(Session session, Session::open(global, options.window_ns, options.window_ns));
  record::RecorderConfig config;
  config.output = options.output;
  config.program = "powertrace " POWERTRACE_VERSION;
  config.command = options.command;
  config.window_ns = options.window_ns;
  config.max_bytes = options.max_bytes;
  config.files = options.files;
  config.root = global.pipeline.root;
  config.sampling = {options.sample_hz, options.slices};
  PT_ASSIGN(const std::unique_ptr<record::Recorder> recorder,
            record::Recorder::open(session.pipeline(), config));
  RecordRun run(session, options, *recorder);
  const Status ran = run.run(std::move(focus));
  const Status finished = recorder->finish();
  PT_TRY(ran);
  PT_TRY(finished);
  say_goodbye(recorder->progress(), options);
  return run.exit_status();
}

}  // namespace powertrace
