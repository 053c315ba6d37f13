// SPDX-License-Identifier: Apache-2.0
#include "history/database.hpp"

#include <chrono>
#include <filesystem>
#include <random>

#include <doctest/doctest.h>

#include "support/temp_dir.hpp"
#include "unit/history/samples.hpp"

using namespace powertrace;
using namespace powertrace::test;

namespace {

UtcMs at(const char* text) {
  return parse_rfc3339(text).value();
}

std::unique_ptr<HistoryDatabase> open(const TempDir& dir, const HistoryLimits& limits = {}) {
  auto database = HistoryDatabase::open(dir.path() + "/history.db", limits);
  REQUIRE_MESSAGE(database.has_value(), database.error().message);
  return std::move(*database);
}

EnergyTable ask(HistoryStore& store, const EnergyQuery& query) {
  auto table = store.energy(query);
  REQUIRE_MESSAGE(table.has_value(), table.error().message);
  return std::move(*table);
}

}  // namespace

TEST_CASE("every question adds up to the same nanojoules") {
  const TempDir dir;
  const auto database = open(dir);
  const UtcMs start = at("2026-03-01T00:00:00Z");
  std::mt19937_64 random(1);
  std::int64_t total = 0;
  std::vector<std::int64_t> by_hour(6);
  for (int minute = 0; minute < 6 * 60; ++minute) {
    std::vector<MinuteRow> rows;
    for (int i = 0; i < 5; ++i) {
      const auto nj = static_cast<std::int64_t>(random() % 1'000'000'000);
      rows.push_back({i < 3 ? pod_workload(i < 2 ? "shop" : "lab", "p" + std::to_string(i))
                            : cgroup_workload("/user/" + std::to_string(i)),
                      usage(nj, nj / 7)});
      total += nj + nj / 7;
      by_hour[static_cast<std::size_t>(minute / 60)] += nj + nj / 7;
    }
    REQUIRE(database->add(std::vector{minute_at(start + minute * kMinuteMs, rows)}).has_value());
  }
  const TimeRange all{start, start + 6 * kHourMs};
  for (const UtcMs resolution : {kMinuteMs, 5 * kMinuteMs, 15 * kMinuteMs, kHourMs}) {
    CHECK(sum_of_pieces(ask(*database, {all, resolution, std::nullopt}).pieces) == total);
    for (const Dimension by :
         {Dimension::kNode, Dimension::kNamespace, Dimension::kPod, Dimension::kContainer,
          Dimension::kCgroup, Dimension::kUser, Dimension::kWorkload}) {
      const EnergyTable table = ask(*database, {all, resolution, by});
      CHECK(sum_of_pieces(table.pieces) == total);
      std::int64_t used = 0;
      for (const EnergyGroup& group : table.groups) {
        used += group.use.total_nj();
      }
      CHECK(used == total);
    }
  }
  // Cut ranges that meet add up as well, wherever they are cut.
  std::int64_t parts = 0;
  for (UtcMs from = start; from < all.end; from += 37 * kMinuteMs) {
    parts += sum_of_pieces(
        ask(*database, {{from, std::min(all.end, from + 37 * kMinuteMs)}, kHourMs, std::nullopt})
            .pieces);
  }
  CHECK(parts == total);
  CHECK(sum_of_pieces(ask(*database, {{start, start + kHourMs}, kHourMs, std::nullopt}).pieces) ==
        by_hour[0]);
  std::int64_t covered = 0;
  for (const CoveredPiece& piece : ask(*database, {all, kHourMs, std::nullopt}).covered) {
    covered += piece.covered_ms;
  }
  CHECK(covered == 6 * kHourMs);
}

TEST_CASE("groups, filters and hostile names") {
  const TempDir dir;
  const auto database = open(dir);
  const UtcMs start = at("2026-03-01T00:00:00Z");
  const std::string evil = "x'; DROP TABLE hour; --\"\n\\";
  REQUIRE(
      database
          ->add(std::vector{minute_at(start, {{pod_workload("shop", "web"), usage(100)},
                                              {pod_workload("shop", "db"), usage(20)},
                                              {pod_workload(evil, evil), usage(3)},
                                              {cgroup_workload("/system.slice/cron"), usage(4)}})})
          .has_value());
  const TimeRange range{start, start + kMinuteMs};
  const auto sum = [&](const WorkloadFilter& filter) {
    return sum_of_pieces(ask(*database, {range, kMinuteMs, std::nullopt, filter}).pieces);
  };
  CHECK(sum({}) == 127);
  CHECK(sum({.name_space = "shop"}) == 120);
  CHECK(sum({.name_space = evil}) == 3);
  CHECK(sum({.name_space = "nowhere"}) == 0);
  CHECK(sum({.workload = "shop/web"}) == 100);
  CHECK(sum({.workload = "uid-web"}) == 100);
  CHECK(sum({.workload = "c0-db"}) == 20);
  CHECK(sum({.workload = "/system.slice/cron"}) == 4);
  CHECK(sum({.workload = "%"}) == 0);
  CHECK(sum({.node = "n2"}) == 0);
  CHECK(sum({}) == 127);
  const EnergyTable spaces = ask(*database, {range, kMinuteMs, Dimension::kNamespace});
  REQUIRE(spaces.groups.size() == 3);
  CHECK(group_id(spaces.groups[2].who, Dimension::kNamespace) == "[others]");
}

TEST_CASE("a second writer is refused, readers are not") {
  const TempDir dir;
  const auto database = open(dir);
  REQUIRE(
      database->add(std::vector{minute_at(0, {{cgroup_workload("/a"), usage(5)}})}).has_value());
  const auto second = HistoryDatabase::open(dir.path() + "/history.db", {});
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code == ErrorCode::kBusy);
  auto reader = HistoryDatabase::open_read_only(dir.path() + "/history.db");
  REQUIRE(reader.has_value());
  CHECK(sum_of_pieces(ask(**reader, {{0, kMinuteMs}, kMinuteMs, std::nullopt}).pieces) == 5);
  CHECK(HistoryDatabase::open_read_only(dir.path() + "/none.db").error().code ==
        ErrorCode::kNotFound);
}

TEST_CASE("what is no history is refused, not overwritten") {
  const TempDir dir;
  dir.write("history.db", std::string(5000, 'x'));
  const auto opened = HistoryDatabase::open(dir.path() + "/history.db", {});
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().message.find("history.db") != std::string::npos);
  CHECK_FALSE(HistoryDatabase::open_read_only(dir.path() + "/history.db").has_value());
}

TEST_CASE("a restart within a minute adds to it") {
  const TempDir dir;
  const Minute minute = minute_at(0, {{cgroup_workload("/a"), usage(5)}});
  REQUIRE(open(dir)->add(std::vector{minute}).has_value());
  const auto database = open(dir);
  REQUIRE(database->add(std::vector{minute}).has_value());
  CHECK(sum_of_pieces(ask(*database, {{0, kHourMs}, kHourMs, std::nullopt}).pieces) == 10);
}

TEST_CASE("old minutes are forgotten, their hours are not") {
  const TempDir dir;
  const auto database = open(dir, {.minutes_ms = 2 * kHourMs, .hours_ms = 10 * kHourMs});
  const UtcMs start = at("2026-03-01T00:00:00Z");
  for (int minute = 0; minute < 24 * 60; minute += 5) {
    REQUIRE(database
                ->add(std::vector{
                    minute_at(start + minute * kMinuteMs, {{cgroup_workload("/a"), usage(1000)}})})
                .has_value());
  }
  const TimeRange all{start, start + kDayMs};
  // The hours from 13:00 are kept: eleven of them, and 12 samples of 1000 nJ in each.
  CHECK(sum_of_pieces(ask(*database, {all, kHourMs, std::nullopt}).pieces) == 11 * 12 * 1000);
  CHECK(sum_of_pieces(ask(*database, {all, kMinuteMs, std::nullopt}).pieces) == 11 * 12 * 1000);
  // An end inside an hour whose minutes are gone is cut by time within its quarter.
  const TimeRange cut{start + 14 * kHourMs, start + 15 * kHourMs + 30 * kMinuteMs};
  CHECK(sum_of_pieces(ask(*database, {cut, kHourMs, Dimension::kCgroup}).pieces) == 18 * 1000);
}

TEST_CASE("the size limit holds") {
  const TempDir dir;
  constexpr std::int64_t kLimit = std::int64_t{16} << 20U;
  const auto database = open(dir, {.bytes = kLimit});
  for (int minute = 0; minute < 600; ++minute) {
    std::vector<MinuteRow> rows;
    for (int i = 0; i < 500; ++i) {
      rows.push_back(
          {cgroup_workload("/churn/" + std::to_string(i) + "/" + std::to_string(minute / 60)),
           usage(1'000'000 + i, 5, 77)});
    }
    REQUIRE(database->add(std::vector{minute_at(minute * kMinuteMs, std::move(rows))}).has_value());
  }
  std::int64_t bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(dir.path())) {
    bytes += static_cast<std::int64_t>(file.file_size());
  }
  CHECK(bytes <= kLimit);
  CHECK(sum_of_pieces(
            ask(*database, {{595 * kMinuteMs, 600 * kMinuteMs}, kMinuteMs, std::nullopt}).pieces) ==
        5 * (500 * 1'000'005LL + 499 * 250LL));
}

TEST_CASE("activity of workloads by step") {
  const TempDir dir;
  const auto database = open(dir);
  for (int minute = 0; minute < 10; ++minute) {
    Usage use = usage(10, 0, minute % 2 == 0 ? 60'000'000'000 : 0);
    use.cores_squared = minute % 2 == 0 ? 60 : 0;
    REQUIRE(
        database->add(std::vector{minute_at(minute * kMinuteMs, {{cgroup_workload("/a"), use}})})
            .has_value());
  }
  const auto activity = database->activity({0, 10 * kMinuteMs}, kMinuteMs, {});
  REQUIRE(activity.has_value());
  REQUIRE(activity->size() == 1);
  CHECK(activity->front().cores == std::vector<double>{1, 0, 1, 0, 1, 0, 1, 0, 1, 0});
  CHECK(activity->front().intervals == 600);
  CHECK(activity->front().use.cores_squared == 300);
}
