// SPDX-License-Identifier: Apache-2.0
#include "cli/cmd_doctor.hpp"

#include "cli/exit_code.hpp"
#include "cli/output.hpp"
#include "doctor/doctor.hpp"
#include "render/findings.hpp"

namespace powertrace {

Result<int> run_doctor(const GlobalOptions& global, const DoctorOptions& options) {
  const PipelineConfig& config = global.pipeline;
  const std::vector<Finding> findings =
      examine({config.root, config.sources, config.synthetic, config.trace});
  PT_TRY(write_stdout(options.json ? findings_json(findings) + "\n"
                                   : findings_text(findings, stdout_takes_colour())));
  switch (overall_status(findings)) {
    case FindingStatus::kOk:
      return kExitOk;
    case FindingStatus::kLimited:
      return kExitFailed;
    case FindingStatus::kMissing:
      break;
  }
  return kExitMissing;
}

}  // namespace powertrace
