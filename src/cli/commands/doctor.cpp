// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "cli/cmd_doctor.hpp"
#include "cli/commands/command.hpp"

namespace powertrace {

void add_doctor(CommandLine& line) {
  auto options = std::make_shared<DoctorOptions>();
  CLI::App* doctor =
      line.app.add_subcommand("doctor", "Whether powertrace can work here, and what would help");
  doctor->add_flag("--json", options->json, "print one JSON object");
  doctor->callback([&line, options] {
    line.run = [options](const GlobalOptions& global) { return run_doctor(global, *options); };
  });
}

}  // namespace powertrace
