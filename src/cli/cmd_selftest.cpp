// SPDX-License-Identifier: Apache-2.0
#include "cli/cmd_selftest.hpp"

#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "cli/exit_code.hpp"
#include "cli/output.hpp"
#include "cli/selftest/checks.hpp"
#include "cli/selftest/load.hpp"
#include "cli/selftest/stage.hpp"
#include "cli/session.hpp"

namespace powertrace {
namespace {

constexpr std::uint64_t kRestNs = 3'000'000'000;

// Says each verdict as soon as it is there.
class Verdicts {
 public:
  explicit Verdicts(bool json) : json_(json) {}

  Status add(Verdict verdict) {
    all_.push_back(std::move(verdict));
    if (!json_) {
      PT_TRY(write_stdout(verdict_line(all_.back(), stdout_takes_colour())));
    }
    return {};
  }

  [[nodiscard]] Status finish(const SourceInfo& source) const {
    PT_TRY(write_stdout(json_ ? verdicts_json(all_, source) + "\n"
                              : "\n" + verdict_summary(all_, source)));
    return {};
  }

  [[nodiscard]] bool failed() const { return overall(all_) == VerdictStatus::kFailed; }

 private:
  bool json_;
  std::vector<Verdict> all_;
};

Status perform(Pipeline& pipeline, Verdicts& verdicts) {
  Stage stage(pipeline);
  PT_TRY(stage.start());
  const std::array threads{LoadSpec{"threads", 500'000'000}};
  PT_ASSIGN(const auto hog, stage.run(threads));
  PT_TRY(verdicts.add(judge_run_time(hog.front())));
  const std::array fifo{LoadSpec{"fifo", 1'000'000'000}};
  PT_ASSIGN(const auto keeper, stage.run(fifo));
  PT_TRY(verdicts.add(judge_never_switching(keeper.front())));
  const std::array storm{LoadSpec{"storm", 1'500'000'000}};
  PT_ASSIGN(const auto forks, stage.run(storm));
  PT_TRY(verdicts.add(judge_fork_storm(forks.front())));
  const std::array twins{LoadSpec{"spin", 900'000'000}, LoadSpec{"forks", 900'000'000}};
  PT_ASSIGN(const auto pair, stage.run(twins));
  PT_TRY(verdicts.add(judge_twins(pair.front(), pair.back())));
  PT_TRY(verdicts.add(judge_cycles(hog.front(), pipeline.tracer().counter_support())));
  const SelfCost cost = stage.rest(kRestNs);
  PT_TRY(verdicts.add(judge_conservation(stage.balance())));
  return verdicts.add(judge_overhead(cost, static_cast<double>(kRestNs) / 1e9));
}

}  // namespace

Result<int> run_selftest(const GlobalOptions& global, const SelftestOptions& options) {
  if (!options.load.empty()) {
    return run_load(options.load, options.load_ns);
  }
  PT_TRY(refuse_replay(global));
  PT_ASSIGN(const std::unique_ptr<Pipeline> pipeline, Pipeline::open(global.pipeline));
  Verdicts verdicts(options.json);
  PT_TRY(perform(*pipeline, verdicts));
  PT_TRY(verdicts.finish(pipeline->source().info()));
  return verdicts.failed() ? kExitFailed : kExitOk;
}

}  // namespace powertrace
