// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "report/export.hpp"
#include "report/json_text.hpp"
#include "report/whole_units.hpp"

namespace powertrace::report {

std::string folded(const Paths& paths) {
  std::vector<std::string> names = paths.names;
  for (std::string& name : names) {
    std::replace_if(
        name.begin(), name.end(), [](char c) { return c == ';' || c == '\n' || c == '\r'; }, ':');
  }
  std::string out;
  WholeUnits rounded = WholeUnits::microjoules();
  for (const Path& path : paths.paths) {
    const std::int64_t uj = rounded.next(path.energy_nj);
    if (uj != 0) {
      for (std::size_t i = 0; i < path.names.size(); ++i) {
        out += names[path.names[i]];
        out += i + 1 == path.names.size() ? ' ' : ';';
      }
      out += std::to_string(uj) + "\n";
    }
  }
  return out;
}

std::string speedscope(const Paths& paths, const std::string& title) {
  std::string frames;
  for (const std::string& name : paths.names) {
    frames += (frames.empty() ? "{\"name\":" : ",{\"name\":") + json_string(name) + "}";
  }
  std::string samples;
  JsonColumn weights;
  std::int64_t sum_uj = 0;
  WholeUnits rounded = WholeUnits::microjoules();
  for (const Path& path : paths.paths) {
    const std::int64_t uj = rounded.next(path.energy_nj);
    samples += fmt::format("{}[{}]", samples.empty() ? "" : ",", fmt::join(path.names, ","));
    weights.add(uj);
    sum_uj += uj;
  }
  return fmt::format(
             R"({{"$schema":"https://www.speedscope.app/file-format-schema.json","name":{},)"
             R"("exporter":"powertrace","shared":{{"frames":[{}]}},"profiles":[{{)"
             R"json("type":"sampled","name":"energy (uJ)","unit":"none","startValue":0,"endValue":{},)json"
             R"("samples":[{}],"weights":{}}}]}})",
             json_string(title), frames, sum_uj, samples, weights.text()) +
         "\n";
}

}  // namespace powertrace::report
