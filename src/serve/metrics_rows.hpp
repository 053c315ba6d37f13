// SPDX-License-Identifier: Apache-2.0
//
// What the schemas have in common: rows of a level and the zones they are shown by. For
// metrics_*.cpp only.
#pragma once

#include <deque>
#include <span>
#include <string>
#include <vector>

#include "serve/metrics_page.hpp"

namespace powertrace {

// A workload or a remainder, as a page shows it.
struct MetricRow {
  const WorkloadLabels* labels = nullptr;
  const AccountUsage* use = nullptr;
  std::uint64_t created_ms = 0;
  bool terminated = false;
};

// A kind of zone that this node has.
struct ZoneLabel {
  std::size_t kind = 0;
  std::string label;  // zone="package"
};

// All the rows of a level. Keeps what the rows point to, besides the view's own.
class LevelRows {
 public:
  LevelRows(const AccountView& account, AccountLevel level, std::string_view node_name);
  LevelRows(const LevelRows&) = delete;  // rows point into it
  LevelRows& operator=(const LevelRows&) = delete;
  ~LevelRows() = default;

  [[nodiscard]] std::span<const MetricRow> workloads() const { return workloads_; }
  // [kernel], [powertrace], [others]: with the workloads all that was attributed.
  [[nodiscard]] std::span<const MetricRow> remainders() const { return remainders_; }
  // [others] as far as it was folded, without those of no workload of this level.
  [[nodiscard]] const MetricRow& folded() const { return folded_; }
  // Everything that runs in no workload of this level, without the kernel's threads.
  [[nodiscard]] const MetricRow& system() const { return system_; }

 private:
  std::vector<MetricRow> workloads_;
  std::vector<MetricRow> remainders_;
  MetricRow folded_;
  MetricRow system_;
  AccountUsage others_;
  AccountUsage system_use_;
  WorkloadLabels kernel_labels_;
  WorkloadLabels powertrace_labels_;
  WorkloadLabels others_labels_;
};

std::vector<ZoneLabel> zone_labels(const AccountView& account);

double watts(std::int64_t nanojoules, double seconds);

inline constexpr MetricType kCounter = MetricType::kCounter;
inline constexpr MetricType kGauge = MetricType::kGauge;

// One of these per schema; each writes its families in the order of its catalogue.
struct PageInput {
  const AccountView& account;
  const PageConfig& config;
  const ProgramStats& program;
  std::vector<ZoneLabel> zones;
  std::deque<LevelRows> levels;  // by AccountLevel; they stay where they are

  [[nodiscard]] const LevelRows& level(AccountLevel which) const {
    return levels[static_cast<std::size_t>(which)];
  }
  [[nodiscard]] bool shows(AccountLevel which) const {
    return config.levels[static_cast<std::size_t>(which)];
  }
};

void write_own_schema(const PageInput& in, MetricsWriter& out);
void write_self_metrics(const PageInput& in, MetricsWriter& out);
void write_kepler2_schema(const PageInput& in, MetricsWriter& out);
void write_kepler1_schema(const PageInput& in, MetricsWriter& out);

std::span<const MetricFamily> own_families();
std::span<const MetricFamily> self_families();
std::span<const MetricFamily> kepler2_families();
std::span<const MetricFamily> kepler1_families();

}  // namespace powertrace
