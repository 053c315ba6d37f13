// SPDX-License-Identifier: Apache-2.0
//
// The inside of the account: workloads of one level, and which of them are shown. For account*.cpp
// only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "serve/account.hpp"

namespace powertrace {

// Series that were there for less may have ended before a scraper saw them rise.
constexpr std::uint64_t kBriefNs = 15'000'000'000;

struct Account::Workload {
  std::string name;  // its key in the level
  WorkloadIdentity who;
  std::shared_ptr<const WorkloadLabels> labels;
  AccountUsage use;              // since it is shown
  std::int64_t folded_nj = 0;    // what went to [others] while it was not
  double recent_nj = 0;          // halved now and then: by it the largest are chosen
  std::uint64_t created_ms = 0;  // since the epoch: when `use` began
  std::uint64_t shown_ns = 0;    // monotonic: since when it is shown
  std::uint64_t ran_ns = 0;
  std::uint64_t ended_ns = 0;  // 0: it lives
  bool shown = false;
  bool allowed = true;  // by the filter
  bool found = false;   // while sweeping
};

struct Account::Level {
  std::unordered_map<std::string, std::unique_ptr<Workload>> workloads;
  std::size_t shown = 0;
  AccountUsage kernel;
  AccountUsage powertrace;
  AccountUsage outside;
  AccountUsage folded;
  AccountTotals gone;

  void show(Workload& workload, std::uint64_t now_ms, std::uint64_t now_ns) {
    workload.shown_ns = now_ns;
    workload.shown = true;
    workload.use = {};
    workload.created_ms = now_ms;
    ++shown;
  }
  // What its series told already must not appear in [others] once more: rates would count it twice.
  void hide(Workload& workload) {
    const bool brief = workload.ran_ns < workload.shown_ns + kBriefNs;
    (brief ? folded.total : gone) += workload.use.total;
    workload.use = {};
    workload.shown = false;
    --shown;
  }
};

// Where a cgroup's energy goes.
struct Account::Place {
  std::shared_ptr<const CgroupIdentity> identity;
  Workload* cgroup = nullptr;
  Workload* container = nullptr;  // null: in none
  Workload* pod = nullptr;
};

}  // namespace powertrace
