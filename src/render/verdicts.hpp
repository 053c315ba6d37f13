// SPDX-License-Identifier: Apache-2.0
//
// The self-test's verdicts as text and JSON. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "model/snapshot.hpp"

namespace powertrace {

enum class VerdictStatus { kOk, kSkipped, kFailed };

struct Verdict {
  std::string_view check;
  VerdictStatus status = VerdictStatus::kOk;
  std::string what;             // the figures, or why it was skipped
  std::optional<double> value;  // that was judged, against `limit`
  std::optional<double> limit;
};

VerdictStatus overall(std::span<const Verdict> verdicts);
std::string verdict_line(const Verdict& verdict, bool colour);
std::string verdict_summary(std::span<const Verdict> verdicts, const SourceInfo& source);
std::string verdicts_json(std::span<const Verdict> verdicts, const SourceInfo& source);

}  // namespace powertrace
