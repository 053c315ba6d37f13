// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "report/export.hpp"
#include "report/whole_units.hpp"

namespace powertrace::report {

std::string folded(const std::vector<PathEnergy>& paths) {
  std::string out;
  WholeUnits rounded = WholeUnits::microjoules();
  for (const PathEnergy& energy : paths) {
    const std::int64_t uj = rounded.next(energy.energy_nj);
    if (uj == 0) {
      continue;
    }
    std::string line;
    for (std::string frame : energy.path) {
      std::replace_if(
          frame.begin(), frame.end(), [](char c) { return c == ';' || c == '\n' || c == '\r'; },
          ':');
      line += (line.empty() ? "" : ";") + frame;
    }
    out += fmt::format("{} {}\n", line, uj);
  }
  return out;
}

std::string speedscope(const std::vector<PathEnergy>& paths, const std::string& title) {
  using Json = nlohmann::ordered_json;
  std::map<std::string, std::size_t> ids;
  Json frames = Json::array();
  Json samples = Json::array();
  Json weights = Json::array();
  std::int64_t sum_uj = 0;
  WholeUnits rounded = WholeUnits::microjoules();
  for (const PathEnergy& energy : paths) {
    const std::int64_t uj = rounded.next(energy.energy_nj);
    Json sample = Json::array();
    for (const std::string& name : energy.path) {
      const auto [at, added] = ids.try_emplace(name, frames.size());
      if (added) {
        frames.push_back({{"name", name}});
      }
      sample.push_back(at->second);
    }
    samples.push_back(std::move(sample));
    weights.push_back(uj);
    sum_uj += uj;
  }
  const Json json{{"$schema", "https://www.speedscope.app/file-format-schema.json"},
                  {"name", title},
                  {"exporter", "powertrace"},
                  {"shared", {{"frames", frames}}},
                  {"profiles", Json::array({{{"type", "sampled"},
                                             {"name", "energy (uJ)"},
                                             {"unit", "none"},
                                             {"startValue", 0},
                                             {"endValue", sum_uj},
                                             {"samples", samples},
                                             {"weights", weights}}})}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace powertrace::report
