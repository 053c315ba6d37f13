// SPDX-License-Identifier: Apache-2.0
//
// Made-up minutes and snapshots.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "history/minutes.hpp"
#include "history/store.hpp"

namespace powertrace::test {

inline Workload pod_workload(const std::string& name_space, const std::string& pod, int index = 0) {
  Workload who;
  who.node = "n1";
  who.cgroup = "/kubepods/" + name_space + "/" + pod + "/" + std::to_string(index);
  who.user = "root";
  who.container_id = "c" + std::to_string(index) + "-" + pod;
  who.container = "main";
  who.pod_uid = "uid-" + pod;
  who.pod = pod;
  who.name_space = name_space;
  return who;
}

inline Workload cgroup_workload(const std::string& cgroup, const std::string& user = "alice") {
  Workload who;
  who.node = "n1";
  who.cgroup = cgroup;
  who.user = user;
  return who;
}

inline Usage usage(std::int64_t cpu_nj, std::int64_t dram_nj = 0, std::int64_t run_ns = 0) {
  Usage use;
  use.energy_nj = {cpu_nj, dram_nj, 0, 0};
  use.run_ns = run_ns;
  return use;
}

inline Minute minute_at(UtcMs start, std::vector<MinuteRow> rows) {
  Minute minute;
  minute.start = start;
  minute.covered_ms = kMinuteMs;
  minute.intervals = 60;
  minute.rows = std::move(rows);
  return minute;
}

inline std::int64_t sum_of_pieces(const std::vector<EnergyPiece>& pieces) {
  std::int64_t sum = 0;
  for (const EnergyPiece& piece : pieces) {
    sum += piece.energy_nj;
  }
  return sum;
}

}  // namespace powertrace::test
