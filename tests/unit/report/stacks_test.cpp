// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "record/fold.hpp"
#include "report/diff.hpp"
#include "report/energy_stacks.hpp"
#include "report/export.hpp"
#include "report/functions.hpp"
#include "report/profile.hpp"
#include "unit/record/recording.hpp"

namespace powertrace {
namespace {

struct Folded {
  report::Profile profile;
  std::int64_t all_nj = 0;  // of the zones that count
};

Folded fold_samples(std::uint64_t seed) {
  Folded folded;
  const test::Recording recording = test::make_sampled_recording(seed, 60);
  for (const Window& window : recording.windows) {
    for (const ZoneDelta& zone : window.zones) {
      folded.all_nj += usable_energy_nj(zone);
    }
  }
  const test::TempFile file;
  file.write(recording.bytes);
  const auto reader = record::Reader::open(file.path);
  REQUIRE(reader.has_value());
  record::Fold fold(**reader, {});
  report::EnergyStacks stacks(**reader, true);
  while (*(*reader)->next()) {
    stacks.add(fold.attribute_window());
  }
  stacks.finish();
  CHECK((*reader)->warnings().empty());
  report::Symbolizer symbolizer;
  folded.profile = report::make_profile((*reader)->meta(), std::move(stacks), symbolizer);
  return folded;
}

}  // namespace

TEST_CASE("stacks: functions add up to the zones, sampled or not") {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const Folded folded = fold_samples(seed);
    std::int64_t paths_nj = 0;
    bool unsampled = false;
    const report::Paths paths = report::path_energies(folded.profile);
    CHECK(std::is_sorted(paths.paths.begin(), paths.paths.end(),
                         [](const auto& a, const auto& b) { return a.names < b.names; }));
    for (const report::Path& path : paths.paths) {
      paths_nj += path.energy_nj;
      unsampled = unsampled || paths.names[path.names.back()] == "[unsampled]";
    }
    CHECK(paths_nj == folded.all_nj);
    CHECK(unsampled);
    for (const bool callers : {false, true}) {
      std::int64_t functions_nj = 0;
      for (const report::FunctionEnergy& row : report::function_energies(folded.profile, callers)) {
        functions_nj += row.self_nj;
        CHECK(row.total_nj >= row.self_nj);
      }
      CHECK(functions_nj == folded.all_nj);
    }
  }
}

TEST_CASE("stacks: tasks that were sampled have no unsampled energy") {
  const Folded folded = fold_samples(4);
  for (const report::StackEnergy& cell : folded.profile.cells) {
    if (cell.stack == report::kUnsampled) {
      CHECK(folded.profile.subjects[cell.subject].tgid % 2 == 1);
    }
  }
}

TEST_CASE("stacks: each sample has its part of its cell") {
  const Folded folded = fold_samples(6);
  std::vector<report::StackEnergy> left = folded.profile.cells;
  CHECK(folded.profile.samples.size() > 100);
  for (const report::TimedSample& sample : folded.profile.samples) {
    CHECK(sample.energy_nj >= 0);
    left[sample.cell].energy_nj -= sample.energy_nj;
    --left[sample.cell].samples;
  }
  for (const report::StackEnergy& cell : left) {
    CHECK((cell.stack == report::kUnsampled || cell.energy_nj == 0));
    CHECK(cell.samples == 0);
  }
}

TEST_CASE("exports: sums are exact to the microjoule and names cannot break the format") {
  const Folded folded = fold_samples(5);
  const auto paths = report::path_energies(folded.profile);
  const std::string text = report::folded(paths);
  std::int64_t sum_uj = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    const std::size_t space = text.rfind(' ', end);
    sum_uj += std::stoll(text.substr(space + 1, end - space - 1));
    begin = end + 1;
  }
  CHECK(sum_uj == folded.all_nj / 1000);
  CHECK(text.find("leaf:with<odd>") != std::string::npos);

  const auto scope = nlohmann::json::parse(report::speedscope(paths, "test"));
  std::int64_t weights = 0;
  for (const auto& weight : scope["profiles"][0]["weights"]) {
    weights += weight.get<std::int64_t>();
  }
  CHECK(weights == sum_uj);
  CHECK(scope["profiles"][0]["endValue"] == sum_uj);

  const std::string html = report::flame_graph(paths, nullptr, "a <title> & more", 6);
  CHECK(html.find("with<odd>") == std::string::npos);
  CHECK(html.find("a &lt;title>") != std::string::npos);
  const std::string packed = report::gzip(report::pprof(folded.profile));
  CHECK(packed.substr(0, 2) == "\x1f\x8b");
}

TEST_CASE("diff: a change counts if it is beyond the uncertainty of both sides") {
  report::DiffSide before{10, {{"a", 10, 1}, {"b", 5, 0.1}, {"gone", 3, 0}}};
  report::DiffSide after{10, {{"a", 11, 1}, {"b", 6, 0.1}, {"new", 1, 0.2}}};
  const auto rows = report::diff_rows(before, after);
  REQUIRE(rows.size() == 4);
  CHECK(rows[0].name == "gone");
  const auto find = [&](const std::string& name) {
    return *std::find_if(rows.begin(), rows.end(), [&](const auto& r) { return r.name == name; });
  };
  CHECK_FALSE(find("a").significant);
  CHECK(find("b").significant);
  CHECK(find("new").joules[0] == 0);
  CHECK(find("gone").change == doctest::Approx(-3));
}

}  // namespace powertrace
