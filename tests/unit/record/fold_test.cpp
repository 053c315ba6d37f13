// SPDX-License-Identifier: Apache-2.0
#include "record/fold.hpp"

#include <doctest/doctest.h>

#include "model/rollup.hpp"
#include "unit/record/recording.hpp"

namespace powertrace {
namespace {

SnapshotPtr fold_all(const std::string& path, const record::FoldConfig& config) {
  const auto reader = record::Reader::open(path);
  REQUIRE(reader.has_value());
  record::Fold fold(**reader, config);
  while (*(*reader)->next()) {
    fold.add();
  }
  return fold.take_snapshot();
}

}  // namespace

TEST_CASE("fold: rows add up to the zones under every model and policy, at every level") {
  const test::TempFile file;
  const test::Recording recording = test::make_recording(11, 80);
  file.write(recording.bytes);
  std::vector<std::int64_t> expected(2);
  for (const Window& window : recording.windows) {
    for (std::size_t zone = 0; zone < 2; ++zone) {
      expected[zone] += usable_energy_nj(window.zones[zone]);
    }
  }
  for (const Model model : {Model::kTime, Model::kCycles}) {
    for (const IdlePolicy idle :
         {IdlePolicy::kSeparate, IdlePolicy::kProportional, IdlePolicy::kEven, IdlePolicy::kNone}) {
      const SnapshotPtr snapshot = fold_all(file.path, {model, idle, std::nullopt});
      CHECK(snapshot->model == model);
      CHECK(snapshot->idle == idle);
      for (const Level level : {Level::kProcess, Level::kThread, Level::kComm, Level::kCgroup,
                                Level::kContainer, Level::kPod}) {
        std::vector<std::int64_t> sums(2);
        for (const Row& row : roll_up(*snapshot, level)) {
          sums[0] += row.zone_nj[0];
          sums[1] += row.zone_nj[1];
        }
        CHECK(sums == expected);
      }
    }
  }
}

TEST_CASE("fold: cycles need cycles") {
  record::Meta meta = test::make_meta();
  meta.counters_on = false;
  CHECK_FALSE(record::check_fold({Model::kCycles, std::nullopt, std::nullopt}, meta).has_value());
  CHECK(record::check_fold({Model::kTime, std::nullopt, std::nullopt}, meta).has_value());
}

}  // namespace powertrace
