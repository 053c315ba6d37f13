// SPDX-License-Identifier: Apache-2.0
#include "report/profile.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace powertrace::report {
namespace {

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

Profile make_profile(const record::Meta& meta, EnergyStacks&& stacks, Symbolizer& symbolizer) {
  Profile profile;
  profile.meta = meta;
  profile.duration_ns = stacks.duration_ns();
  profile.subjects = stacks.subjects();
  profile.hints = missing_callers(stacks);
  profile.cells = stacks.take_cells();
  profile.samples = stacks.take_samples();
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
  std::vector<bool> wanted_stacks(stacks.stacks().size());
  for (const StackEnergy& cell : profile.cells) {
    if (profile.subjects[cell.subject].selected) {
      wanted_stacks[cell.stack] = true;
    }
  }
  std::vector<bool> wanted(stacks.places().size());
  for (std::size_t stack = 0; stack < wanted_stacks.size(); ++stack) {
    if (wanted_stacks[stack]) {
      for (const std::size_t place : stacks.stacks()[stack]) {
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

}  // namespace powertrace::report
