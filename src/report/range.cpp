// SPDX-License-Identifier: Apache-2.0
#include "report/range.hpp"

#include <cmath>
#include <ctime>

#include "base/parse.hpp"

namespace powertrace::report {
namespace {

// "2026-01-02T03:04:05.678Z" in ns since the epoch.
Result<std::uint64_t> parse_utc(const std::string& text) {
  std::tm time{};
  const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &time);
  double fraction = 0;
  if (rest != nullptr && *rest == '.') {
    const std::size_t end =
        text.find_first_not_of("0123456789", 1 + static_cast<std::size_t>(rest - text.c_str()));
    const std::size_t begin = static_cast<std::size_t>(rest - text.c_str());
    PT_ASSIGN(fraction, parse_double("0" + text.substr(begin, end - begin)));
    rest = end == std::string::npos ? "" : text.c_str() + end;
  }
  const std::time_t seconds = ::timegm(&time);
  if (rest == nullptr || std::string_view(rest) != "Z" || seconds < 0) {
    return fail(ErrorCode::kUsage,
                "\"{}\" is neither a duration since the begin (1.5s) nor a time in UTC "
                "(2026-01-02T03:04:05Z)",
                text);
  }
  return static_cast<std::uint64_t>(seconds) * 1'000'000'000 +
         static_cast<std::uint64_t>(std::llround(fraction * 1e9));
}

Result<std::uint64_t> parse_end(const std::string& text, const record::Meta& meta) {
  if (text.find('T') == std::string::npos) {
    PT_ASSIGN(const std::uint64_t since_ns, parse_duration_ns(text));
    return meta.start_ns + since_ns;
  }
  PT_ASSIGN(const std::uint64_t realtime_ns, parse_utc(text));
  // Before the recording: its begin.
  return realtime_ns > meta.realtime_ns ? meta.start_ns + (realtime_ns - meta.realtime_ns)
                                        : meta.start_ns;
}

}  // namespace

Result<Range> parse_range(const std::string& from,
                          const std::string& to,
                          const record::Meta& meta) {
  Range range;
  if (!from.empty()) {
    PT_ASSIGN(range.after_ns, parse_end(from, meta));
  }
  if (!to.empty()) {
    PT_ASSIGN(range.until_ns, parse_end(to, meta));
  }
  if (range.until_ns <= range.after_ns) {
    return fail(ErrorCode::kUsage, "--to {} is not after --from {}", to, from);
  }
  return range;
}

}  // namespace powertrace::report
