// SPDX-License-Identifier: Apache-2.0
//
// The one logger, on stderr. Thread-safe after log_init(). stdout is for results only.
#pragma once

#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace powertrace {

enum class LogLevel { kDebug, kInfo, kWarn, kError, kOff };
enum class LogFormat { kText, kJson };

// Under journald ($JOURNAL_STREAM) text lines carry the <N> priority prefix instead of a time.
void log_init(LogLevel level, LogFormat format);
void log_message(LogLevel level, std::string_view message);
bool log_enabled(LogLevel level);

template <typename... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(LogLevel::kDebug)) {
    log_message(LogLevel::kDebug, fmt::format(format, std::forward<Args>(args)...));
  }
}
template <typename... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log_message(LogLevel::kInfo, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_warn(fmt::format_string<Args...> format, Args&&... args) {
  log_message(LogLevel::kWarn, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
  log_message(LogLevel::kError, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace powertrace
