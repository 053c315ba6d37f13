// SPDX-License-Identifier: Apache-2.0
#include "cli/cmd_top.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <unistd.h>

#include "base/log.hpp"
#include "base/sysroot.hpp"
#include "cli/exit_code.hpp"
#include "cli/output.hpp"
#include "cli/recording.hpp"
#include "cli/session.hpp"
#include "cli/top/screen.hpp"
#include "cli/top/top_ui.hpp"
#include "identity/proc_reader.hpp"
#include "render/figures.hpp"
#include "render/json.hpp"
#include "render/table.hpp"

namespace powertrace {
namespace {

// The screen shows something soon; the first full interval follows.
constexpr std::uint64_t kFirstIntervalNs = 300'000'000;

std::vector<Row> top_rows(const Snapshot& snapshot, const TopOptions& options) {
  std::vector<Row> rows = roll_up(snapshot, options.by);
  if (!options.filter.empty()) {
    std::erase_if(rows, [&](const Row& row) { return !row_matches(row, options.filter); });
  }
  sort_rows(rows, options.sort);
  return rows;
}

// Prints interval after interval; false: enough.
class BatchPrinter {
 public:
  explicit BatchPrinter(const TopOptions& options) : options_(options) {
    top::use_terminal_locale();  // for the width of characters
  }

  bool print(const Snapshot& snapshot) {
    const std::vector<Row> rows = top_rows(snapshot, options_);
    const auto written =
        write_stdout((options_.json ? snapshot_json(snapshot, rows)
                                    : snapshot_table(snapshot, rows, output_columns())) +
                     "\n");
    if (!written) {
      failure_ = tl::make_unexpected(written.error());
      return false;
    }
    return *written == Written::kYes && ++printed_ != options_.count;
  }
  [[nodiscard]] const Status& failure() const { return failure_; }

 private:
  const TopOptions& options_;
  std::uint64_t printed_ = 0;
  Status failure_;
};

Result<int> run_batch(const GlobalOptions& global, const TopOptions& options) {
  PT_ASSIGN(Session session, Session::open(global, options.window_ns, options.interval_ns));
  BatchPrinter printer(options);
  PT_ASSIGN(const int code, session.run([&](const SnapshotPtr& snapshot) {
    if (!printer.print(*snapshot)) {
      session.stop(kExitOk);
    }
  }));
  PT_TRY(printer.failure());
  return code;
}

Result<int> run_replay(const GlobalOptions& global, const TopOptions& options) {
  BatchPrinter printer(options);
  PT_TRY(replay(global, options.interval_ns,
                [&](const SnapshotPtr& snapshot) { return printer.print(*snapshot); }));
  PT_TRY(printer.failure());
  return kExitOk;
}

top::Column sort_column(SortKey key) {
  switch (key) {
    case SortKey::kJoules:
      return top::Column::kEnergy;
    case SortKey::kCpu:
      return top::Column::kCpu;
    case SortKey::kName:
      return top::Column::kCommand;
    case SortKey::kWatts:
      break;
  }
  return top::Column::kWatts;
}

// From the file, not from the name service, which may ask a network.
std::map<std::uint32_t, std::string> read_users() {
  std::map<std::uint32_t, std::string> users;
  const std::string text = read_file("/etc/passwd").value_or("");
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    const std::size_t password = line.find(':');
    const std::size_t uid = password == std::string::npos ? password : line.find(':', password + 1);
    std::uint32_t number = 0;
    if (uid != std::string::npos && std::sscanf(line.c_str() + uid + 1, "%u:", &number) == 1) {
      users.try_emplace(number, line.substr(0, password));
    }
  }
  return users;
}

top::TopSetup make_setup(const SysRoot& root, bool utf8) {
  top::TopSetup setup;
  setup.glyphs.utf8 = utf8;
  setup.users = read_users();
  setup.find_process = [reader = ProcReader(root)](std::uint32_t pid) {
    std::shared_ptr<ProcessIdentity> process;
    if (const std::optional<ProcRecord> record = reader.read(pid)) {
      process = std::make_shared<ProcessIdentity>();
      process->task = {pid, reader.start_ns(record->stat)};
      process->parent_pid = record->stat.parent_pid;
      process->uid = record->uid;
      process->comm = record->stat.comm;
      process->exe = record->exe;
      process->cmdline = record->cmdline;
      process->kernel_thread = record->stat.kernel_thread;
    }
    return process;
  };
  return setup;
}

// The last line, once the terminal is back.
void say_goodbye(const top::History& history, const Session& session) {
  std::string text;
  if (const SnapshotPtr& last = history.latest()) {
    const double joules = static_cast<double>(history.energy_nj()) / 1e9;
    text = fmt::format("{} in {:.1f} s, {} W on average", format_joules(joules), history.seconds(),
                       format_watts(joules / std::max(history.seconds(), 1e-9)));
    if (!last->source.measured) {
      text += fmt::format(" (ESTIMATE +-{:.0f} %)", last->source.expected_error * 100);
    }
  }
  if (session.signal() != 0) {
    const char* name = ::sigabbrev_np(session.signal());
    text += fmt::format("{}ended by SIG{}, the terminal is as it was before",
                        text.empty() ? "" : "; ", name != nullptr ? name : "?");
  }
  if (!text.empty()) {
    std::fprintf(stderr, "powertrace: %s\n", text.c_str());
  }
}

Result<int> run_screen(const GlobalOptions& global, const TopOptions& options) {
  const bool utf8 = top::use_terminal_locale();
  PT_ASSIGN(top::TerminalGuard guard, top::TerminalGuard::start());
  PT_ASSIGN(Session session, Session::open(global, options.window_ns,
                                           std::min(options.interval_ns, kFirstIntervalNs)));
  PT_ASSIGN(const std::unique_ptr<top::TopUi> ui,
            top::TopUi::start(guard,
                              top::TopModel(options.by, sort_column(options.sort), options.filter,
                                            options.interval_ns),
                              make_setup(global.pipeline.root, utf8), options.window_ns));
  PT_TRY(session.loop().add_fd(ui->wishes_fd(), [&] {
    const top::TopUi::Wishes wishes = ui->wishes();
    session.set_interval(wishes.interval_ns);
    if (wishes.quit || wishes.terminal_closed) {
      session.stop(wishes.quit ? kExitOk : kExitInterrupted);
    }
  }));
  std::uint64_t shown = 0;
  Result<int> code = session.run([&](const SnapshotPtr& snapshot) {
    if (shown == 0) {
      session.set_interval(options.interval_ns);
    }
    ui->add(snapshot);
    if (++shown == options.count) {
      session.stop(kExitOk);
    }
  });
  ui->finish();
  say_goodbye(ui->history(), session);
  return code;
}

}  // namespace

Result<int> run_top(const GlobalOptions& global, const TopOptions& options) {
  if (!global.replay.empty()) {
    return run_replay(global, options);
  }
  if (options.batch || ::isatty(STDOUT_FILENO) != 1) {
    return run_batch(global, options);
  }
  if (const std::optional<std::string> problem = top::screen_problem()) {
    log_warn("{}: printing tables, as --batch does", *problem);
    return run_batch(global, options);
  }
  return run_screen(global, options);
}

}  // namespace powertrace
