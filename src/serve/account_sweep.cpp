// SPDX-License-Identifier: Apache-2.0
//
// What the account forgets, and when.
#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "base/choice.hpp"
#include "serve/account_level.hpp"

namespace powertrace {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kSweepNs = 10 * kSecond;
constexpr std::uint64_t kProcessSweepNs = 60 * kSecond;
constexpr std::uint64_t kChooseNs = 30 * kSecond;
// Who is shown stays so until somebody is clearly larger.
constexpr double kShownBonus = 1.5;

constexpr std::array<Choice<AccountLevel>, kAccountLevels> kLevels{
    {{"cgroup", AccountLevel::kCgroup},
     {"container", AccountLevel::kContainer},
     {"pod", AccountLevel::kPod},
     {"vm", AccountLevel::kVm},
     {"process", AccountLevel::kProcess}}};

// Who gets series first where there are not enough.
constexpr std::array<AccountLevel, kAccountLevels> kByImportance{
    AccountLevel::kPod, AccountLevel::kContainer, AccountLevel::kVm, AccountLevel::kCgroup,
    AccountLevel::kProcess};

}  // namespace

std::string_view account_level_name(AccountLevel level) {
  return choice_name(kLevels, level);
}

Result<AccountLevel> parse_account_level(std::string_view text) {
  return parse_choice("a level", text, kLevels);
}

void Account::sweep() {
  if (now_ns_ - swept_ns_ < kSweepNs) {
    return;
  }
  swept_ns_ = now_ns_;
  sweep_places();
  for (const AccountLevel which :
       {AccountLevel::kCgroup, AccountLevel::kContainer, AccountLevel::kPod, AccountLevel::kVm}) {
    sweep_level(which);
  }
  sweep_processes();
  if (now_ns_ - chosen_ns_ >= kChooseNs) {
    chosen_ns_ = now_ns_;
    choose_shown();
  }
}

// Finds out which cgroups are still there, and with them their containers and pods.
void Account::sweep_places() {
  for (auto& level : levels_) {
    for (const auto& [name, workload] : level->workloads) {
      workload->found = false;
    }
  }
  for (auto at = places_.begin(); at != places_.end();) {
    const Place& where = *at->second;
    const std::uint64_t quiet_ns = now_ns_ - where.cgroup->ran_ns;
    bool lives = quiet_ns < kSweepNs;
    if (!lives) {
      const std::optional<bool> there = liveness_.cgroup(*where.identity);
      lives = there.value_or(quiet_ns < config_.keep_ended_ns);
    }
    if (!lives) {
      at = places_.erase(at);
      continue;
    }
    for (Workload* workload : {where.cgroup, where.container, where.pod}) {
      if (workload != nullptr) {
        workload->found = true;
      }
    }
    ++at;
  }
  for (const auto& [name, vm] : level(AccountLevel::kVm).workloads) {
    vm->found = now_ns_ - vm->ran_ns < kSweepNs ||
                (vm->who.process && liveness_.process(*vm->who.process).value_or(false)) ||
                (!vm->who.process && liveness_.cgroup(*vm->who.cgroup).value_or(false));
  }
}

void Account::sweep_level(AccountLevel which) {
  Level& at = level(which);
  std::vector<const Workload*> over;
  std::vector<const Workload*> ended;
  for (const auto& [name, workload] : at.workloads) {
    if (workload->found) {
      workload->ended_ns = 0;
      continue;
    }
    end(*workload);
    const bool old = now_ns_ - workload->ended_ns >= config_.keep_ended_ns;
    (old ? over : ended).push_back(workload.get());
  }
  if (ended.size() > config_.max_ended) {
    std::sort(ended.begin(), ended.end(),
              [](const Workload* a, const Workload* b) { return a->ended_ns > b->ended_ns; });
    over.insert(over.end(), ended.begin() + static_cast<std::ptrdiff_t>(config_.max_ended),
                ended.end());
  }
  for (const Workload* workload : over) {
    drop(at, std::string(workload->name));
  }
}

void Account::sweep_processes() {
  Level& at = level(AccountLevel::kProcess);
  // Exits are told by events; those that were lost show up here.
  const bool look = now_ns_ - swept_processes_ns_ >= kProcessSweepNs;
  if (look) {
    swept_processes_ns_ = now_ns_;
  }
  for (const auto& [name, one] : at.workloads) {
    one->found = one->ended_ns == 0;
    const std::uint64_t quiet_ns = now_ns_ - one->ran_ns;
    if (look && one->found && quiet_ns >= kProcessSweepNs) {
      one->found = liveness_.process(*one->who.process).value_or(quiet_ns < config_.keep_ended_ns);
    }
  }
  sweep_level(AccountLevel::kProcess);
}

void Account::drop(Level& level, const std::string& name) {
  const auto at = level.workloads.find(name);
  if (at->second->shown) {
    level.hide(*at->second);
  }
  level.workloads.erase(at);
}

// How many workloads of the level fit in so many series.
std::size_t Account::room(AccountLevel which, std::size_t series) const {
  const std::size_t each = config_.series_each[static_cast<std::size_t>(which)];
  const std::size_t fit = config_.max_series == 0 || each == 0
                              ? std::numeric_limits<std::size_t>::max()
                              : series / each;
  return config_.top == 0 ? fit : std::min(fit, config_.top);
}

bool Account::has_room(AccountLevel which) const {
  std::size_t series = 0;
  for (std::size_t i = 0; i < kAccountLevels; ++i) {
    series += i == static_cast<std::size_t>(which) ? 0 : levels_[i]->shown * config_.series_each[i];
  }
  return level(which).shown <
         room(which, config_.max_series - std::min(config_.max_series, series));
}

void Account::choose_shown() {
  std::size_t left = config_.max_series;
  for (const AccountLevel which : kByImportance) {
    choose_shown(which, room(which, left));
    left -=
        std::min(left, level(which).shown * config_.series_each[static_cast<std::size_t>(which)]);
  }
}

void Account::choose_shown(AccountLevel which, std::size_t most) {
  Level& at = level(which);
  std::vector<Workload*> wanted;
  for (const auto& [name, workload] : at.workloads) {
    workload->recent_nj /= 2;
    if (workload->allowed && (workload->shown || workload->folded_nj >= config_.min_nj)) {
      wanted.push_back(workload.get());
    }
  }
  if (wanted.size() > most) {
    std::sort(wanted.begin(), wanted.end(), [](const Workload* a, const Workload* b) {
      return a->recent_nj * (a->shown ? kShownBonus : 1) >
             b->recent_nj * (b->shown ? kShownBonus : 1);
    });
    for (std::size_t i = most; i < wanted.size(); ++i) {
      if (wanted[i]->shown) {
        at.hide(*wanted[i]);
      }
    }
    wanted.resize(most);
  }
  for (Workload* workload : wanted) {
    if (!workload->shown && workload->ended_ns == 0) {
      at.show(*workload, began_ms_, now_ns_);
    }
  }
}

}  // namespace powertrace
