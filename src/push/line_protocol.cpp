// SPDX-License-Identifier: Apache-2.0
#include "push/line_protocol.hpp"

#include <fmt/format.h>

namespace powertrace {
namespace {

void add_tag(std::string& line, std::string_view key, std::string_view value) {
  if (!value.empty()) {
    line += fmt::format(",{}={}", key, influx_tag(value));
  }
}

}  // namespace

std::string influx_tag(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += '_';
    } else if (c == '\\') {
      out += '/';  // a backslash at the end would escape what follows the value
    } else {
      if (c == ',' || c == '=' || c == ' ') {
        out += '\\';
      }
      out += c;
    }
  }
  return out;
}

std::string influx_lines(const PushBatch& batch) {
  std::string text;
  for (const PushRow& row : batch.rows) {
    std::string line = "powertrace_energy";
    // Sorted by key, as the server likes them best.
    add_tag(line, "container", row.container);
    add_tag(line, "container_id", row.container_id);
    add_tag(line, "namespace", row.name_space);
    add_tag(line, "node", batch.node);
    add_tag(line, "pod", row.pod);
    add_tag(line, "scope", row.scope == PushScope::kNode ? "node" : "container");
    add_tag(line, "zone", row.zone);
    const double joules = static_cast<double>(row.energy_nj) / 1e9;
    text += fmt::format("{} joules={},joules_total={},cpu_seconds={},watts={},measured={} {}\n",
                        line, joules, static_cast<double>(row.total_nj) / 1e9,
                        static_cast<double>(row.run_ns) / 1e9,
                        batch.seconds() > 0 ? joules / batch.seconds() : 0.0,
                        batch.measured ? "true" : "false", batch.end_ms);
  }
  return text;
}

}  // namespace powertrace
