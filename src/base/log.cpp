// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <cstdlib>
#include <memory>
#include <string>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace powertrace {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kOff:
      break;
  }
  return spdlog::level::off;
}

int syslog_priority(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return 7;
    case LogLevel::kInfo:
      return 6;
    case LogLevel::kWarn:
      return 4;
    default:
      return 3;
  }
}

std::string json_escape(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 8);
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      out += c;
    }
  }
  return out;
}

struct Logger {
  std::shared_ptr<spdlog::logger> sink = spdlog::stderr_color_mt("powertrace");
  LogFormat format = LogFormat::kText;
  bool journald = std::getenv("JOURNAL_STREAM") != nullptr;
};

Logger& logger() {
  static Logger instance = [] {
    Logger made;
    made.sink->set_pattern("powertrace: %^%l%$: %v");
    made.sink->set_level(spdlog::level::warn);
    return made;
  }();
  return instance;
}

}  // namespace

void log_init(LogLevel level, LogFormat format) {
  Logger& log = logger();
  log.format = format;
  log.sink->set_level(to_spdlog(level));
  if (format == LogFormat::kJson) {
    log.sink->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":"%v"})",
                          spdlog::pattern_time_type::utc);
  } else if (log.journald) {
    log.sink->set_pattern("%v");
  }
}

bool log_enabled(LogLevel level) {
  return logger().sink->should_log(to_spdlog(level));
}

void log_message(LogLevel level, std::string_view message) {
  Logger& log = logger();
  if (log.format == LogFormat::kJson) {
    log.sink->log(to_spdlog(level), "{}", json_escape(message));
  } else if (log.journald) {
    log.sink->log(to_spdlog(level), "<{}>{}", syslog_priority(level), message);
  } else {
    log.sink->log(to_spdlog(level), "{}", message);
  }
}

}  // namespace powertrace
