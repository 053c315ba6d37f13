// SPDX-License-Identifier: Apache-2.0
//
// The part of a recording that a report is about. Pure.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "base/result.hpp"
#include "model/window.hpp"
#include "record/content.hpp"

namespace powertrace::report {

// CLOCK_MONOTONIC. A window belongs to the range in which it ends, so that ranges that touch have
// no window in common and miss none.
struct Range {
  std::uint64_t after_ns = 0;
  std::uint64_t until_ns = std::numeric_limits<std::uint64_t>::max();

  [[nodiscard]] bool includes(const Window& window) const {
    return window.end_ns > after_ns && window.end_ns <= until_ns;
  }
};

// Each end is empty (open), a duration since the recording began ("1.5s"), or a time in UTC
// ("2026-01-02T03:04:05Z").
Result<Range> parse_range(const std::string& from, const std::string& to, const record::Meta& meta);

}  // namespace powertrace::report
