// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <string>

#include "cli/commands/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/output.hpp"

namespace powertrace {

void add_config(CommandLine& line) {
  auto file = std::make_shared<std::string>();
  CLI::App* config = line.app.add_subcommand("config", "The configuration file");
  config->require_subcommand(1);
  CLI::App* check = config->add_subcommand("check", "Whether FILE would be accepted");
  check->add_option("FILE", *file, "as for --config")->required();
  check->callback([&line, file] {
    line.config_file = *file;
    line.run = [&line, file](const GlobalOptions& global) -> Result<int> {
      for (const auto& [name, check_options] : line.checks) {
        if (!line.sections.contains(name)) {
          continue;
        }
        if (const Status status = check_options(global); !status) {
          return tl::make_unexpected(with_context(status.error(), *file + ": " + name));
        }
      }
      PT_TRY(write_stdout(*file + ": ok\n"));
      return kExitOk;
    };
  });
}

}  // namespace powertrace
