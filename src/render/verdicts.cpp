// SPDX-License-Identifier: Apache-2.0
#include "render/verdicts.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "render/figures.hpp"

namespace powertrace {
namespace {

using Json = nlohmann::ordered_json;

std::string_view status_name(VerdictStatus status) {
  switch (status) {
    case VerdictStatus::kOk:
      return "ok";
    case VerdictStatus::kSkipped:
      return "skipped";
    case VerdictStatus::kFailed:
      break;
  }
  return "FAILED";
}

std::string_view colour_of(VerdictStatus status) {
  switch (status) {
    case VerdictStatus::kOk:
      return "\x1b[32m";
    case VerdictStatus::kSkipped:
      return "\x1b[33m";
    case VerdictStatus::kFailed:
      break;
  }
  return "\x1b[31m";
}

}  // namespace

VerdictStatus overall(std::span<const Verdict> verdicts) {
  VerdictStatus worst = VerdictStatus::kOk;
  for (const Verdict& verdict : verdicts) {
    worst = std::max(worst, verdict.status);
  }
  return worst;
}

std::string verdict_line(const Verdict& verdict, bool colour) {
  const std::string_view name = status_name(verdict.status);
  const std::string painted =
      colour ? fmt::format("{}{}\x1b[0m", colour_of(verdict.status), name) : std::string(name);
  return fmt::format("{}{:{}}  {:15}  {}{}\n", painted, "", 7 - name.size(), verdict.check,
                     verdict.status == VerdictStatus::kSkipped ? "because: " : "", verdict.what);
}

std::string verdict_summary(std::span<const Verdict> verdicts, const SourceInfo& source) {
  const auto count = [&](VerdictStatus status) {
    return std::count_if(verdicts.begin(), verdicts.end(),
                         [=](const Verdict& verdict) { return verdict.status == status; });
  };
  const auto failed = count(VerdictStatus::kFailed);
  const std::string tally = fmt::format("{} passed, {} skipped", count(VerdictStatus::kOk),
                                        count(VerdictStatus::kSkipped));
  if (failed > 0) {
    return fmt::format(
        "{} of {} checks FAILED, {}; source {}. `powertrace doctor` says what this "
        "machine lacks; other work on it can also be the reason: repeat it in quiet.\n",
        failed, verdicts.size(), tally, source_note(source));
  }
  return fmt::format("powertrace keeps its promises on this machine: {}; source {}\n", tally,
                     source_note(source));
}

std::string verdicts_json(std::span<const Verdict> verdicts, const SourceInfo& source) {
  const auto number = [](const std::optional<double>& value) {
    return value ? Json(*value) : Json(nullptr);
  };
  const auto word = [](VerdictStatus status) {
    return status == VerdictStatus::kFailed ? "failed" : status_name(status);
  };
  Json checks = Json::array();
  for (const Verdict& verdict : verdicts) {
    checks.push_back({{"check", verdict.check},
                      {"status", word(verdict.status)},
                      {"what", verdict.what},
                      {"value", number(verdict.value)},
                      {"limit", number(verdict.limit)}});
  }
  const Json document{{"schema", "powertrace.selftest/1"},
                      {"status", overall(verdicts) == VerdictStatus::kFailed ? "failed" : "ok"},
                      {"source", {{"name", source.name}, {"measured", source.measured}}},
                      {"checks", std::move(checks)}};
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace powertrace
