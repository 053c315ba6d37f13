// SPDX-License-Identifier: Apache-2.0
//
// kill -9 in the middle of writing: what the writer was told is in stays in, once.
#include <csignal>
#include <sys/wait.h>

#include <doctest/doctest.h>
#include <unistd.h>

#include "history/database.hpp"
#include "support/temp_dir.hpp"
#include "unit/history/samples.hpp"

using namespace powertrace;
using namespace powertrace::test;

namespace {

constexpr std::int64_t kNanojoules = 1'000'000;
constexpr int kRows = 40;

// Adds minutes from `first` on for ever, and says through the pipe how many are in.
[[noreturn]] void write_for_ever(const std::string& path, int first, int pipe) {
  auto database = HistoryDatabase::open(path, {});
  for (int minute = first; database; ++minute) {
    std::vector<MinuteRow> rows;
    for (int i = 0; i < kRows; ++i) {
      rows.push_back({cgroup_workload("/w/" + std::to_string(i)), usage(kNanojoules)});
    }
    if (!(*database)->add(std::vector{minute_at(minute * kMinuteMs, std::move(rows))}) ||
        ::write(pipe, &minute, sizeof minute) != sizeof minute) {
      break;
    }
  }
  ::_exit(1);
}

}  // namespace

TEST_CASE("kill -9 loses at most the open minute and counts nothing twice") {
  const TempDir dir;
  const std::string path = dir.path() + "/history.db";
  int next = 0;
  for (int round = 0; round < 6; ++round) {
    int pipe[2];
    REQUIRE(::pipe(pipe) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      ::close(pipe[0]);
      write_for_ever(path, next, pipe[1]);
    }
    ::close(pipe[1]);
    int confirmed = -1;
    for (int i = 0; i < 5 + round * 3; ++i) {
      REQUIRE(::read(pipe[0], &confirmed, sizeof confirmed) == sizeof confirmed);
    }
    ::usleep(static_cast<useconds_t>(200 + round * 150));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status));
    while (::read(pipe[0], &confirmed, sizeof confirmed) == sizeof confirmed) {
    }
    ::close(pipe[0]);

    auto database = HistoryDatabase::open(path, {});
    REQUIRE_MESSAGE(database.has_value(), database.error().message);
    const auto table = (*database)->energy({{0, 100'000 * kMinuteMs}, kHourMs, std::nullopt, {}});
    REQUIRE(table.has_value());
    const std::int64_t minutes = sum_of_pieces(table->pieces) / (kRows * kNanojoules);
    CHECK(sum_of_pieces(table->pieces) == minutes * kRows * kNanojoules);
    // Confirmed minutes are in; one more may be, whose confirmation the kill came before.
    CHECK(minutes >= confirmed + 1);
    CHECK(minutes <= confirmed + 2);
    const auto rows =
        (*database)->energy({{0, 100'000 * kMinuteMs}, kMinuteMs, Dimension::kCgroup, {}});
    REQUIRE(rows.has_value());
    CHECK(sum_of_pieces(rows->pieces) == minutes * kRows * kNanojoules);
    next = static_cast<int>(minutes);
  }
}
