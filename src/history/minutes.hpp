// SPDX-License-Identifier: Apache-2.0
//
// Snapshots -> minutes: what each workload used in each minute of wall time. Energy of an interval
// that crosses a minute's border is divided by time, in whole nJ. Pure; single-threaded.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/wall_time.hpp"
#include "history/workload.hpp"
#include "model/snapshot.hpp"

namespace powertrace {

struct MinuteRow {
  Workload who;
  Usage use;
};

struct Minute {
  UtcMs start = 0;
  std::int64_t covered_ms = 0;
  std::int64_t estimated_ms = 0;  // of which the source was an estimate
  std::int64_t intervals = 0;
  std::vector<MinuteRow> rows;
};

class MinuteFolder {
 public:
  using UserName = std::function<std::string(std::uint32_t uid)>;
  MinuteFolder(std::string node, UserName user_name);

  void add(const Snapshot& snapshot);

  // Minutes that ended before the last interval did; `all`: the open one too. Each is handed out
  // once; what is added to it later comes as another Minute of the same start.
  std::vector<Minute> take(bool all);

 private:
  struct Open {
    Minute minute;
    std::unordered_map<std::string, std::size_t> rows;  // key -> index
  };
  Open& open(UtcMs start);
  void add_row(Open& open, const std::string& key, const Workload& who, const Usage& use);

  std::string node_;
  UserName user_name_;
  std::map<UtcMs, Open> open_;
  UtcMs latest_ = 0;
  std::unordered_map<std::uint32_t, std::string> users_;
};

}  // namespace powertrace
