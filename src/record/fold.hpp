// SPDX-License-Identifier: Apache-2.0
//
// A recording's windows attributed again and added up into snapshots, by the same functions that
// the live pipeline uses. Deterministic: the same file gives the same snapshots. Single-threaded.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "model/attribution.hpp"
#include "model/idle_power.hpp"
#include "model/ledger.hpp"
#include "model/snapshot.hpp"
#include "record/reader.hpp"

namespace powertrace::record {

struct FoldConfig {
  std::optional<Model> model;                   // nullopt: as it was recorded
  std::optional<IdlePolicy> idle;               // the same
  std::optional<std::int64_t> idle_milliwatts;  // per package zone; nullopt: recorded or learned
};

// kUsage if the recording cannot be attributed so.
Status check_fold(const FoldConfig& config, const Meta& meta);

class Fold {
 public:
  // Both must outlive the fold.
  Fold(const Reader& reader, const FoldConfig& config);

  // Attributes the reader's window; add() also adds it to the interval.
  const Attribution& attribute_window();
  const Attribution& add();

  [[nodiscard]] std::uint64_t interval_ns() const { return ledger_.end_ns() - ledger_.start_ns(); }
  [[nodiscard]] bool empty() const { return ledger_.windows() == 0; }

  // The interval since the last call; begins a new one.
  SnapshotPtr take_snapshot();

 private:
  struct Names {
    Id task = kNoId;  // in `epoch`
    std::uint32_t epoch = 0;
    std::shared_ptr<const ProcessLife> process;
    std::shared_ptr<const CgroupLife> cgroup;
    bool selected = true;
  };
  void learn_names();

  const Reader& reader_;
  AttributionConfig attribution_config_;
  IdlePower idle_power_;
  Ledger ledger_;
  Attribution attribution_;
  std::unordered_map<LedgerKey, Names, LedgerKeyHash> names_;
  SelfCost costs_before_;
  std::uint64_t sequence_ = 0;
};

}  // namespace powertrace::record
