// SPDX-License-Identifier: Apache-2.0
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "base/parse.hpp"
#include "cli/cmd_record.hpp"
#include "cli/commands/command.hpp"
#include "cli/commands/values.hpp"

namespace powertrace {
namespace {

struct RawRecord {
  std::string output = "powertrace.data", window = "100ms", pid, cgroup, duration, size, rotate;
  std::string frequency = "99";
  bool all = false, stacks = false, slices = false;
};

// What one file of a ring holds if nothing is said.
constexpr std::uint64_t kRingFileBytes = 64U << 20U;

Result<RecordOptions> check(const RawRecord& raw, const std::vector<std::string>& command) {
  RecordOptions record;
  record.output = raw.output;
  record.command = command;
  record.cgroup = raw.cgroup;
  PT_ASSIGN(record.window_ns, check_window(raw.window));
  const int subjects = (raw.all ? 1 : 0) + (raw.pid.empty() ? 0 : 1) +
                       (raw.cgroup.empty() ? 0 : 1) + (command.empty() ? 0 : 1);
  if (subjects > 1) {
    return fail(ErrorCode::kUsage,
                "record: --all, --pid, --cgroup and a command after -- exclude each other");
  }
  if (!raw.pid.empty()) {
    PT_ASSIGN(const std::uint64_t pid, check_count("--pid", raw.pid));
    record.pid = static_cast<std::uint32_t>(pid);
  }
  if (!raw.duration.empty()) {
    PT_ASSIGN(record.duration_ns, at_option("--duration", parse_duration_ns(raw.duration)));
    if (record.duration_ns < record.window_ns) {
      return fail(ErrorCode::kUsage, "--duration {} is shorter than --window {}", raw.duration,
                  raw.window);
    }
  }
  if (!raw.size.empty()) {
    PT_ASSIGN(record.max_bytes, at_option("--max-size", parse_size(raw.size)));
    if (record.max_bytes < 64U << 10U) {
      return fail(ErrorCode::kUsage, "--max-size {}: the least is 64K", raw.size);
    }
  }
  record.slices = raw.slices;
  if (raw.stacks) {
    PT_ASSIGN(const std::uint64_t hz, check_count("--frequency", raw.frequency));
    if (hz > 10'000) {
      return fail(ErrorCode::kUsage, "--frequency {}: at most 10000", raw.frequency);
    }
    record.sample_hz = static_cast<std::uint32_t>(hz);
  }
  if (!raw.rotate.empty()) {
    PT_ASSIGN(const std::uint64_t files, check_count("--rotate", raw.rotate));
    if (files < 2 || files > 10'000 || raw.output == "-") {
      return fail(ErrorCode::kUsage, "--rotate {}: a ring has 2 to 10000 files and no pipe",
                  raw.rotate);
    }
    record.files = static_cast<std::uint32_t>(files);
    record.max_bytes = record.max_bytes > 0 ? record.max_bytes : kRingFileBytes;
  }
  return record;
}

void add_options(CLI::App& record, RawRecord& raw) {
  record.add_option("-o,--output", raw.output, "file, or - for standard output")->type_name("FILE");
  record.add_flag("-a,--all", raw.all, "the whole machine (default)");
  record.add_option("-p,--pid", raw.pid, "tell this process and what it starts from the rest")
      ->type_name("PID");
  record.add_option("--cgroup", raw.cgroup, "tell this cgroup and those below it from the rest")
      ->type_name("PATH");
  record.add_flag("-g,--stacks", raw.stacks, "sample stacks: energy by function");
  record.add_option("-F,--frequency", raw.frequency, "stack samples per second and CPU")
      ->type_name("HZ");
  record.add_flag("--slices", raw.slices, "keep every scheduling slice (large files)");
  record.add_option("--window", raw.window, "attribution window")->type_name("DURATION");
  record.add_option("-d,--duration", raw.duration, "stop after this time")->type_name("DURATION");
  record.add_option("--max-size", raw.size, "stop, or rotate, when a file is as large (64M, 1G)")
      ->type_name("SIZE");
  record
      .add_option("--rotate", raw.rotate,
                  "keep a ring of N files: FILE is the current one, FILE.1 the one before")
      ->type_name("N");
  record.footer("-- CMD ARGS...: a command to record, with everything it starts");
}

}  // namespace

void add_record(CommandLine& line) {
  auto raw = std::make_shared<RawRecord>();
  CLI::App* record = line.app.add_subcommand("record", "Keep energy and who used it in a file");
  add_options(*record, *raw);
  record->callback([&line, raw] {
    line.takes_command = true;
    line.run = [&line, raw](const GlobalOptions& global) -> Result<int> {
      PT_ASSIGN(const RecordOptions options, check(*raw, line.own_command));
      return run_record(global, options);
    };
  });
}

}  // namespace powertrace
