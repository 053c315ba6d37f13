// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>

#include "base/parse.hpp"
#include "cli/cmd_selftest.hpp"
#include "cli/commands/command.hpp"
#include "cli/commands/values.hpp"

namespace powertrace {

void add_selftest(CommandLine& line) {
  struct Raw {
    SelftestOptions options;
    std::string load_time = "1s";
  };
  auto raw = std::make_shared<Raw>();
  CLI::App* selftest = line.app.add_subcommand(
      "selftest", "Whether powertrace measures right on this machine: known work, known figures");
  selftest->add_flag("--json", raw->options.json, "print one JSON object");
  // Of the processes that it starts itself.
  selftest->add_option("--load", raw->options.load)->group("");
  selftest->add_option("--load-time", raw->load_time)->group("");
  selftest->callback([&line, raw] {
    line.run = [raw](const GlobalOptions& global) -> Result<int> {
      PT_ASSIGN(raw->options.load_ns, at_option("--load-time", parse_duration_ns(raw->load_time)));
      return run_selftest(global, raw->options);
    };
  });
}

}  // namespace powertrace
