// SPDX-License-Identifier: Apache-2.0
//
// The embedded history: one SQLite file with a row per workload and minute, rolled up to hours that
// keep their quarters apart (the finest slots of energy markets). Minutes are added in one
// transaction each, so that a crash loses at most what was not added and never adds twice. Bounded
// in time and size. One writer per file (held by a lock), any number of readers.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "history/minutes.hpp"
#include "history/store.hpp"

namespace powertrace {

struct HistoryLimits {
  UtcMs minutes_ms = 7 * kDayMs;  // how long minutes are kept
  UtcMs hours_ms = 400 * kDayMs;
  std::int64_t bytes = std::int64_t{512} << 20U;  // of all files together; at least 16 MiB
};

class HistoryDatabase final : public HistoryStore {
 public:
  // For writing; makes the file (mode 0600) and its directory. kBusy: another powertrace writes.
  static Result<std::unique_ptr<HistoryDatabase>> open(const std::string& path,
                                                       const HistoryLimits& limits);
  // kNotFound says how to begin a history.
  static Result<std::unique_ptr<HistoryDatabase>> open_read_only(const std::string& path);
  HistoryDatabase(const HistoryDatabase&) = delete;
  HistoryDatabase& operator=(const HistoryDatabase&) = delete;
  ~HistoryDatabase() override;

  // All of it or nothing. What is too old or too much for the limits is forgotten.
  Status add(std::span<const Minute> minutes);

  [[nodiscard]] std::string describe() const override;
  Result<EnergyTable> energy(const EnergyQuery& query) override;
  Result<std::vector<Activity>> activity(TimeRange range,
                                         UtcMs step_ms,
                                         const WorkloadFilter& filter) override;

 private:
  struct Impl;
  explicit HistoryDatabase(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace powertrace
