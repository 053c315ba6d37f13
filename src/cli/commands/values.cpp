// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/values.hpp"

#include "base/parse.hpp"

namespace powertrace {

Result<std::uint64_t> check_window(const std::string& text) {
  PT_ASSIGN(const std::uint64_t window_ns, at_option("--window", parse_duration_ns(text)));
  if (window_ns < 5'000'000 || window_ns > 60'000'000'000) {
    return fail(ErrorCode::kUsage,
                "--window: {} is outside 5ms to 60s (energy counters move once a millisecond, so "
                "shorter windows would be noise)",
                text);
  }
  return window_ns;
}

Result<std::uint64_t> check_count(const char* option, const std::string& text) {
  PT_ASSIGN(const double count, at_option(option, parse_double(text)));
  if (count < 1 || count > 1e9 || count != static_cast<double>(static_cast<std::uint64_t>(count))) {
    return fail(ErrorCode::kUsage, "{}: {} is not a whole number from 1", option, text);
  }
  return static_cast<std::uint64_t>(count);
}

}  // namespace powertrace
