// SPDX-License-Identifier: Apache-2.0
//
// A month of history, a million samples of minutes: how long do adding a minute and the questions
// of the REST service take? /cost/hourly over 30 days has 50 ms.
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include <benchmark/benchmark.h>

#include "accounting/report.hpp"
#include "history/database.hpp"

namespace {

using namespace powertrace;

constexpr int kMinutes = 30 * 24 * 60;
constexpr int kWorkloads = 24;  // x kMinutes: 1 036 800 samples
constexpr UtcMs kStart = 1'767'225'600'000;

class Month {
 public:
  Month(const Month&) = delete;
  Month& operator=(const Month&) = delete;
  static Month& get() {
    static Month month;
    return month;
  }
  HistoryDatabase& database() { return *database_; }

 private:
  Month() {
    std::string name =
        (std::filesystem::temp_directory_path() / "powertrace-bench-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    HistoryLimits limits;
    limits.minutes_ms = 60 * kDayMs;
    database_ = HistoryDatabase::open((directory_ / "history.db").string(), limits).value();
    for (int minute = 0; minute < kMinutes; ++minute) {
      static_cast<void>(database_->add(std::vector{make(minute)}));
    }
  }
  ~Month() {
    database_.reset();
    std::filesystem::remove_all(directory_);
  }

 public:
  static Minute make(int number) {
    Minute minute;
    minute.start = kStart + number * kMinuteMs;
    minute.covered_ms = kMinuteMs;
    minute.intervals = 60;
    for (int i = 0; i < kWorkloads; ++i) {
      MinuteRow row;
      row.who.node = "n1";
      row.who.cgroup = "/kubepods/pod" + std::to_string(i);
      row.who.user = "root";
      row.who.pod = "pod" + std::to_string(i);
      row.who.name_space = "ns" + std::to_string(i % 5);
      row.use.energy_nj[0] = 60'000'000'000 + i * 1000LL + number;
      row.use.run_ns = 1'000'000'000;
      minute.rows.push_back(std::move(row));
    }
    return minute;
  }

 private:
  std::filesystem::path directory_;
  std::unique_ptr<HistoryDatabase> database_;
};

CostModel by_quarter() {
  CostModel model;
  model.currency = "EUR";
  std::vector<ValueSlot> slots;
  for (UtcMs at = kStart; at < kStart + 30 * kDayMs; at += 15 * kMinuteMs) {
    slots.push_back({at, at + 15 * kMinuteMs, 0.1 + static_cast<double>(at % 7) / 100});
  }
  model.price = Curve::from_slots(slots).value();
  return model;
}

void ask(benchmark::State& state, CostBy by) {
  const CostModel model = by_quarter();
  const CostQuestion question{{kStart, kStart + 30 * kDayMs}, by};
  Month::get();  // is filled first
  for (auto _ : state) {
    const CostReport report = report_cost(Month::get().database(), model, question).value();
    benchmark::DoNotOptimize(cost_json(model, report));
  }
}

void cost_hourly_30_days(benchmark::State& state) {
  ask(state, Calendar::kHour);
}
void cost_by_namespace_30_days(benchmark::State& state) {
  ask(state, Dimension::kNamespace);
}
void add_minute(benchmark::State& state) {
  int number = kMinutes;
  Month::get();
  for (auto _ : state) {
    benchmark::DoNotOptimize(Month::get().database().add(std::vector{Month::make(number++)}));
  }
}

BENCHMARK(cost_hourly_30_days)->Unit(benchmark::kMillisecond);
BENCHMARK(cost_by_namespace_30_days)->Unit(benchmark::kMillisecond);
BENCHMARK(add_minute)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
