// SPDX-License-Identifier: Apache-2.0
#include "model/descendants.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace powertrace {

// The root's own start is not known, nor needed: it holds its pid now, so nobody before it counts.
Descendants::Descendants(std::uint32_t root) {
  add(root, 0);
}

void Descendants::add(std::uint32_t tgid, std::uint64_t start_ns) {
  by_tgid_[tgid].push_back({start_ns, kForever, false, {}});
  ++processes_;
  ++living_;
}

void Descendants::end(std::uint32_t tgid, Process& process) {
  process.ended = true;
  ended_.push_back({tgid, process.start_ns});
  --living_;
}

Descendants::Process* Descendants::living_bearer(std::uint32_t tgid) {
  const auto found = by_tgid_.find(tgid);
  return found == by_tgid_.end() || found->second.back().ended ? nullptr : &found->second.back();
}

void Descendants::on_fork(const pt_event_process& child) {
  if (const auto found = by_tgid_.find(child.tgid); found != by_tgid_.end()) {
    Process& before = found->second.back();
    before.next_start_ns = std::min(before.next_start_ns, std::uint64_t{child.start_boottime});
    if (!before.ended) {
      end(child.tgid, before);  // its exit event was lost
    }
  }
  if (living_bearer(child.parent_tgid) != nullptr) {
    add(child.tgid, child.start_boottime);
  }
}

void Descendants::on_event(const pt_event& event, std::size_t size) {
  if (size < sizeof(pt_event_process) ||
      (event.type != PT_EVENT_FORK && event.type != PT_EVENT_EXIT)) {
    return;
  }
  pt_event_process process{};
  std::memcpy(&process, &event, sizeof(process));
  if (event.type == PT_EVENT_FORK) {
    on_fork(process);
  } else if (Process* bearer = living_bearer(process.tgid);
             bearer != nullptr && bearer->start_ns <= process.start_boottime) {
    end(process.tgid, *bearer);
  }
}

bool Descendants::saw(const TaskUse& use) {
  const auto found = by_tgid_.find(use.tgid);
  if (found == by_tgid_.end()) {
    return false;
  }
  for (Process& process : found->second) {
    if (process.start_ns <= use.task.start_ns && use.task.start_ns < process.next_start_ns) {
      threads_ += process.threads.insert(use.task).second ? 1 : 0;
      return true;
    }
  }
  return false;
}

void Descendants::end_window() {
  for (const TaskId& gone : ended_before_) {
    const auto found = by_tgid_.find(gone.pid);
    std::erase_if(found->second,
                  [&](const Process& process) { return process.start_ns == gone.start_ns; });
    if (found->second.empty()) {
      by_tgid_.erase(found);
    }
  }
  ended_before_ = std::exchange(ended_, {});
}

}  // namespace powertrace
