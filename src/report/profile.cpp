// SPDX-License-Identifier: Apache-2.0
#include "report/profile.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "render/figures.hpp"
#include "render/text.hpp"
#include "report/rows.hpp"

namespace powertrace::report {
namespace {

constexpr std::size_t kShortContainerId = 12;

double seconds(const Profile& profile) {
  return std::max(static_cast<double>(profile.duration_ns) / 1e9, 1e-9);
}

std::int64_t all_nj(const Profile& profile) {
  std::int64_t sum = profile.idle_nj + profile.unattributed_nj;
  for (const StackEnergy& cell : profile.cells) {
    sum += cell.energy_nj;
  }
  return sum;
}

void add_subject(std::vector<std::string>& path, const Subject& subject) {
  const auto& container = subject.cgroup->identity->container;
  if (container && container->pod && !container->pod->name.empty()) {
    path.push_back(container->pod->name_space + "/" + container->pod->name);
  }
  if (container) {
    path.push_back(container->name.empty() ? container->id.substr(0, kShortContainerId)
                                           : container->name);
  }
  path.emplace_back(comm_view(subject.comm));
}

// Stacks are walked by frame pointers: whose code has none has no callers.
std::vector<std::string> missing_callers(const EnergyStacks& stacks) {
  struct Count {
    std::uint64_t all = 0;
    std::uint64_t alone = 0;
  };
  std::map<std::string, Count> modules;
  std::uint64_t all = 0;
  for (const StackEnergy& cell : stacks.cells()) {
    const Place* leaf = nullptr;
    std::size_t frames = 0;
    for (const std::size_t place : stacks.stacks()[cell.stack]) {
      if (stacks.places()[place].file.kind == record::FileKind::kFile) {
        leaf = leaf == nullptr ? &stacks.places()[place] : leaf;
        ++frames;
      }
    }
    if (leaf != nullptr && stacks.subjects()[cell.subject].selected) {
      Count& count = modules[leaf->file.path];
      count.all += cell.samples;
      count.alone += frames == 1 ? cell.samples : 0;
      all += cell.samples;
    }
  }
  std::vector<std::string> hints;
  for (const auto& [path, count] : modules) {
    if (count.alone * 2 > count.all && count.alone * 20 > all) {
      hints.push_back(
          fmt::format("most stacks in {} have no callers: it was built without frame pointers "
                      "(-fno-omit-frame-pointer keeps them)",
                      path));
    }
  }
  return hints;
}

}  // namespace

Profile make_profile(const record::Meta& meta, const EnergyStacks& stacks, Symbolizer& symbolizer) {
  Profile profile;
  profile.meta = meta;
  profile.duration_ns = stacks.duration_ns();
  profile.subjects = stacks.subjects();
  profile.cells = stacks.cells();
  profile.samples = stacks.samples();
  profile.hints = missing_callers(stacks);
  profile.idle_nj = stacks.idle_nj();
  profile.unattributed_nj = stacks.unattributed_nj();
  std::map<std::pair<std::string, std::string>, std::size_t> ids;
  const auto intern = [&](Function function) {
    const auto [at, added] =
        ids.try_emplace({function.name, function.module}, profile.functions.size());
    if (added) {
      profile.functions.push_back(std::move(function));
    }
    return at->second;
  };
  // What is not of the focus is one row: its places need no names.
  std::vector<bool> wanted(stacks.places().size());
  for (const StackEnergy& cell : stacks.cells()) {
    if (stacks.subjects()[cell.subject].selected) {
      for (const std::size_t place : stacks.stacks()[cell.stack]) {
        wanted[place] = true;
      }
    }
  }
  std::vector<std::vector<std::size_t>> places;  // functions at each, the innermost first
  for (const Place& place : stacks.places()) {
    places.emplace_back();
    if (!wanted[places.size() - 1]) {
      continue;
    }
    for (Function& function : symbolizer.find(place.file, place.offset, place.name)) {
      places.back().push_back(intern(std::move(function)));
    }
  }
  const std::size_t unsampled = intern({"[unsampled]", "", "", 0});
  for (const std::vector<std::size_t>& leaf_first : stacks.stacks()) {
    std::vector<std::size_t>& functions = profile.stacks.emplace_back();
    for (const std::size_t place : leaf_first) {
      functions.insert(functions.end(), places[place].begin(), places[place].end());
    }
    if (functions.empty()) {
      functions.push_back(unsampled);
    }
    std::reverse(functions.begin(), functions.end());
  }
  return profile;
}

std::vector<PathEnergy> path_energies(const Profile& profile) {
  std::map<std::vector<std::string>, PathEnergy> paths;
  const auto add = [&](std::vector<std::string> path, const StackEnergy& cell) {
    PathEnergy& energy = paths[path];
    energy.path = std::move(path);
    energy.energy_nj += cell.energy_nj;
    energy.run_ns += cell.run_ns;
    energy.samples += cell.samples;
  };
  for (const StackEnergy& cell : profile.cells) {
    const Subject& subject = profile.subjects[cell.subject];
    std::vector<std::string> path;
    if (!subject.selected) {
      add({"[others]"}, cell);
      continue;
    }
    add_subject(path, subject);
    for (const std::size_t function : profile.stacks[cell.stack]) {
      path.push_back(profile.functions[function].name);
    }
    add(std::move(path), cell);
  }
  add({"[idle]"}, {0, 0, 0, profile.idle_nj, 0});
  add({"[unattributed]"}, {0, 0, 0, profile.unattributed_nj, 0});
  std::vector<PathEnergy> result;
  for (auto& [path, energy] : paths) {
    result.push_back(std::move(energy));
  }
  return result;
}

std::vector<FunctionEnergy> function_energies(const Profile& profile, bool callers) {
  std::map<std::pair<std::string, std::string>, FunctionEnergy> rows;
  const auto row = [&](const std::string& name, const std::string& module) -> FunctionEnergy& {
    FunctionEnergy& found = rows[{name, module}];
    found.name = name;
    found.module = module;
    return found;
  };
  const auto add_self = [](FunctionEnergy& found, const StackEnergy& cell) {
    found.self_nj += cell.energy_nj;
    found.run_ns += cell.run_ns;
    found.samples += cell.samples;
  };
  for (const StackEnergy& cell : profile.cells) {
    if (!profile.subjects[cell.subject].selected) {
      FunctionEnergy& others = row("[others]", "");
      add_self(others, cell);
      others.total_nj += cell.energy_nj;
      continue;
    }
    std::set<std::pair<std::string, std::string>> seen;  // recursion counts once
    const std::vector<std::size_t>& stack = profile.stacks[cell.stack];
    for (std::size_t i = 0; i < stack.size(); ++i) {
      const Function& function = profile.functions[stack[i]];
      const std::string name = callers && i > 0
                                   ? profile.functions[stack[i - 1]].name + " > " + function.name
                                   : function.name;
      FunctionEnergy& found = row(name, function.module);
      found.total_nj += seen.emplace(name, function.module).second ? cell.energy_nj : 0;
      if (i + 1 == stack.size()) {
        add_self(found, cell);
      }
    }
  }
  row("[idle]", "").self_nj = row("[idle]", "").total_nj = profile.idle_nj;
  row("[unattributed]", "").self_nj = row("[unattributed]", "").total_nj = profile.unattributed_nj;
  std::vector<FunctionEnergy> result;
  for (auto& [key, found] : rows) {
    result.push_back(std::move(found));
  }
  std::stable_sort(result.begin(), result.end(), [](const auto& a, const auto& b) {
    return std::pair(a.self_nj, a.total_nj) > std::pair(b.self_nj, b.total_nj);
  });
  return result;
}

std::string functions_table(const Profile& profile,
                            const std::vector<FunctionEnergy>& rows,
                            std::size_t top) {
  const auto all = static_cast<double>(std::max<std::int64_t>(all_nj(profile), 1));
  std::string out =
      fmt::format("{:>10} {:>8} {:>6} {:>10} {:>6} {:>8}  {:<20} {}\n", "SELF J", "WATTS", "SHARE",
                  "TOTAL J", "SHARE", "SAMPLES", "MODULE", "FUNCTION");
  std::size_t shown = 0;
  for (const FunctionEnergy& row : rows) {
    if (top != 0 && shown++ == top) {
      break;
    }
    const auto self = static_cast<double>(row.self_nj);
    const auto total = static_cast<double>(row.total_nj);
    out +=
        fmt::format("{:>10.6f} {:>8} {:>5.1f}% {:>10.6f} {:>5.1f}% {:>8}  {:<20} {}\n", self / 1e9,
                    format_watts(self / 1e9 / seconds(profile)), self * 100 / all, total / 1e9,
                    total * 100 / all, row.samples, printable(row.module), printable(row.name));
  }
  return out;
}

std::string functions_csv(const Profile& profile, const std::vector<FunctionEnergy>& rows) {
  std::string out = "function,module,self_joules,total_joules,watts,cpu_seconds,samples\n";
  for (const FunctionEnergy& row : rows) {
    out += fmt::format("{},{},{:.9f},{:.9f},{:.6f},{:.9f},{}\n", csv_field(row.name),
                       csv_field(row.module), static_cast<double>(row.self_nj) / 1e9,
                       static_cast<double>(row.total_nj) / 1e9,
                       static_cast<double>(row.self_nj) / 1e9 / seconds(profile),
                       static_cast<double>(row.run_ns) / 1e9, row.samples);
  }
  return out;
}

std::string functions_json(const Profile& profile, const std::vector<FunctionEnergy>& rows) {
  nlohmann::ordered_json json{{"schema", "powertrace.functions/1"},
                              {"duration_s", static_cast<double>(profile.duration_ns) / 1e9},
                              {"total", {{"joules", static_cast<double>(all_nj(profile)) / 1e9}}}};
  auto& list = json["rows"] = nlohmann::ordered_json::array();
  for (const FunctionEnergy& row : rows) {
    list.push_back({{"kind", "symbol"},
                    {"function", row.name},
                    {"module", row.module},
                    {"joules", static_cast<double>(row.self_nj) / 1e9},
                    {"total_joules", static_cast<double>(row.total_nj) / 1e9},
                    {"watts", static_cast<double>(row.self_nj) / 1e9 / seconds(profile)},
                    {"cpu_seconds", static_cast<double>(row.run_ns) / 1e9},
                    {"samples", row.samples}});
  }
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace powertrace::report
