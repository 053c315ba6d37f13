// SPDX-License-Identifier: Apache-2.0
//
// What sinks send: the energy of one interval by container, and of the node by zone. Immutable once
// made; made from snapshots by a BatchFolder, on one thread. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/rollup.hpp"
#include "model/snapshot.hpp"

namespace powertrace {

enum class PushScope : std::uint8_t { kNode, kContainer };

struct PushRow {
  PushScope scope = PushScope::kNode;
  // Of containers; "[idle]" and so on are ids of containers, too. Empty: not known.
  std::string container_id;
  std::string container;
  std::string pod_uid;
  std::string pod;
  std::string name_space;
  std::string zone;            // "package", "dram"
  std::int64_t energy_nj = 0;  // of the interval
  std::int64_t total_nj = 0;   // since the folder began: a counter
  std::int64_t run_ns = 0;     // of the interval; in a container's first zone only
};

struct PushBatch {
  std::string node;
  std::int64_t start_ms = 0;  // since 1970
  std::int64_t end_ms = 0;
  std::int64_t since_ms = 0;  // when the counters began
  bool measured = true;
  std::vector<PushRow> rows;
  [[nodiscard]] double seconds() const { return static_cast<double>(end_ms - start_ms) / 1e3; }
};
using PushBatchPtr = std::shared_ptr<const PushBatch>;

class BatchFolder {
 public:
  BatchFolder(std::string node, std::uint64_t interval_ns)
      : node_(std::move(node)), interval_ns_(interval_ns) {}

  void add(const Snapshot& snapshot);
  // The interval so far, if no later edge would be nearer to its end, or `all` is asked for; null:
  // not yet.
  PushBatchPtr take(bool all = false);

 private:
  struct Counter {
    PushRow row;
    std::int64_t seen_ms = 0;
  };
  void add_use(const std::string& key, PushRow row);

  std::string node_;
  std::uint64_t interval_ns_;
  std::uint64_t length_ns_ = 0;
  std::uint64_t last_ns_ = 0;  // length of the last snapshot
  std::int64_t start_ms_ = 0;
  std::int64_t end_ms_ = 0;
  std::int64_t since_ms_ = 0;
  bool measured_ = true;
  std::map<std::string, Counter> counters_;
};

}  // namespace powertrace
