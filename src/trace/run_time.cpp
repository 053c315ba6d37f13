// SPDX-License-Identifier: Apache-2.0
#include "trace/run_time.hpp"

#include <algorithm>

namespace powertrace {
namespace {

// A task that did not run for so long may be forgotten; its next window starts afresh.
constexpr std::uint64_t kMemoryNs = 10'000'000'000;

}  // namespace

void RunTime::note(const TaskId& task, std::uint64_t sum_ns) {
  if (sum_ns == 0) {
    return;  // a slot that was made, but not charged
  }
  Known& known = tasks_[task];
  known.sum_ns = known.noted ? std::max(known.sum_ns, sum_ns) : sum_ns;
  known.noted = true;
}

void RunTime::settle(Window& window, std::uint64_t now_ns) {
  of_use_.assign(window.tasks.size(), nullptr);
  for (std::size_t i = 0; i < window.tasks.size(); ++i) {
    TaskUse& use = window.tasks[i];
    const auto ran_ns = static_cast<std::int64_t>(use.run_ns);
    use.run_ns = static_cast<std::uint64_t>(std::max<std::int64_t>(ran_ns, 0));
    const auto known = tasks_.find(use.task);
    if (known == tasks_.end() || !known->second.noted) {
      continue;
    }
    Known& task = known->second;
    of_use_[i] = &task;
    task.ran_ns += ran_ns;
    if (task.charged_ns == 0 || use.run_ns > window.tasks[task.longest].run_ns) {
      task.longest = i;
    }
    task.charged_ns += use.run_ns;
  }
  for (std::size_t i = 0; i < window.tasks.size(); ++i) {
    TaskUse& use = window.tasks[i];
    if (Known* task = of_use_[i]; task != nullptr && task->longest == i) {
      const bool whole =
          use.task.start_ns >= std::max(start_ns_, now_ns - std::min(now_ns, kMemoryNs));
      if (task->seen_ns == 0 && !whole) {
        task->booked_ns = task->sum_ns - static_cast<std::uint64_t>(task->ran_ns);
      }
      // All that is due, less what the task's other uses have.
      const std::uint64_t others_ns = task->charged_ns - use.run_ns;
      const auto due_ns = static_cast<std::int64_t>(task->sum_ns - task->booked_ns - others_ns);
      use.run_ns = static_cast<std::uint64_t>(std::max<std::int64_t>(due_ns, 0));
      task->booked_ns += use.run_ns + others_ns;
      task->seen_ns = now_ns;
      task->noted = false;
      task->ran_ns = 0;
      task->charged_ns = 0;
    }
    const auto counted_ns = static_cast<std::int64_t>(use.counted_ns);
    use.counted_ns = static_cast<std::uint64_t>(
        std::clamp<std::int64_t>(counted_ns, 0, static_cast<std::int64_t>(use.run_ns)));
  }
  if (tasks_.size() > limit_) {
    forget_old(now_ns);
  }
}

void RunTime::forget_old(std::uint64_t now_ns) {
  std::erase_if(tasks_,
                [&](const auto& entry) { return entry.second.seen_ns + kMemoryNs < now_ns; });
  limit_ = std::max<std::size_t>(4096, 2 * tasks_.size());
}

}  // namespace powertrace
