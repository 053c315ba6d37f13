// SPDX-License-Identifier: Apache-2.0
#include "cli/cap/workloads.hpp"

#include <charconv>
#include <optional>

namespace powertrace {
namespace {

constexpr std::size_t kMaxWorkloads = 64;

// The total of "some avg10=0.00 avg60=0.00 avg300=0.00 total=1234".
std::optional<std::uint64_t> some_total_us(const std::string& text) {
  const std::size_t at = text.find("total=");
  if (!text.starts_with("some ") || at == std::string::npos) {
    return std::nullopt;
  }
  std::uint64_t total_us = 0;
  const auto [end, error] =
      std::from_chars(text.data() + at + 6, text.data() + text.size(), total_us);
  return error == std::errc() ? std::optional(total_us) : std::nullopt;
}

}  // namespace

std::optional<double> WorkloadSampler::stalled_s(const std::string& name,
                                                 const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    const auto text = read_file(file, 4096);
    const auto total_us = text ? some_total_us(*text) : std::nullopt;
    if (!total_us) {
      continue;
    }
    const auto last = stalled_us_.find(name);
    std::optional<double> delta_s;
    if (last != stalled_us_.end() && last->second <= *total_us) {
      delta_s = static_cast<double>(*total_us - last->second) / 1e6;
    }
    stalled_us_[name] = *total_us;
    return delta_s;
  }
  return std::nullopt;
}

std::vector<WorkloadSample> WorkloadSampler::sample(const Snapshot& snapshot) {
  std::vector<Row> rows = roll_up(snapshot, level_);
  sort_rows(rows, SortKey::kWatts);
  WorkloadSample node{"[node]", 0, 0, 0, stalled_s("[node]", {root_.proc("pressure/cpu")})};
  std::vector<WorkloadSample> samples;
  for (const Row& row : rows) {
    WorkloadSample sample;
    sample.name = row.kind == RowKind::kWorkload && !row.id.empty() ? row.name : row.id;
    sample.joules = static_cast<double>(row.energy_nj) / 1e9;
    sample.cpu_s = static_cast<double>(row.run_ns) / 1e9;
    sample.cycles = snapshot.counters_on && counting_ ? row.cycles : 0;
    node.joules += sample.joules;
    node.cpu_s += sample.cpu_s;
    node.cycles += sample.cycles;
    if (row.kind == RowKind::kIdle || samples.size() >= kMaxWorkloads) {
      continue;
    }
    if (row.kind == RowKind::kWorkload && row.cgroup) {
      const std::string& path = row.cgroup->path;
      sample.stalled_s =
          stalled_s(sample.name, {root_.sys("fs/cgroup" + path + "/cpu.pressure"),
                                  root_.sys("fs/cgroup/unified" + path + "/cpu.pressure")});
    }
    samples.push_back(std::move(sample));
  }
  counting_ = true;  // they began within the first snapshot: what ran before has no cycles
  samples.push_back(std::move(node));
  if (stalled_us_.size() > 8 * kMaxWorkloads) {
    stalled_us_.clear();  // of workloads that are long gone
  }
  return samples;
}

}  // namespace powertrace
