// SPDX-License-Identifier: Apache-2.0
//
// Any sequence of records and of tasks that ran: names are never null, memory stays in its limits.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "identity/identity_cache.hpp"

namespace {

constexpr std::size_t kLimit = 8;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

struct Input {
  const std::uint8_t* data;
  std::size_t size;

  // The next bytes into `to`, as many as there are.
  template <typename T>
  void take(T& to) {
    const std::size_t taken = std::min(size, sizeof(to));
    std::memcpy(static_cast<void*>(&to), data, taken);
    data += taken;
    size -= taken;
  }
};

// Small numbers, so that pids and start times meet again.
void fold(pt_event_process& event) {
  event.tgid %= 4;
  event.parent_tgid %= 4;
  event.start_boottime %= 8;
  event.head.time %= 64;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace powertrace;
  IdentityCache::Options options;
  options.max_ended = options.max_living = options.cgroups.max_cached = kLimit;
  options.keep_ended_ns = 16;
  options.keep_idle_ns = 32;
  IdentityCache cache(SysRoot{"/nonexistent/sys", "/nonexistent/proc"}, options);
  Input input{data, size};
  std::uint64_t now_ns = 0;
  while (input.size > 0) {
    std::uint8_t action = 0;
    input.take(action);
    if (action % 8 < 4) {
      pt_event_exec event{};  // the largest of them, read as any
      std::uint8_t cut = 0;
      input.take(cut);
      input.take(event.process);
      event.process.head.type %= PT_EVENT_CGROUP + 2;
      fold(event.process);
      event.path_len = event.args_len = action;
      cache.on_event(&event.process.head, cut < 32 ? cut : sizeof(event));
    } else if (action % 8 < 6) {
      TaskUse use;
      std::uint8_t bits = 0;
      input.take(bits);
      use.tgid = bits & 3U;
      use.task = {(bits >> 2U) & 3U, (bits >> 4U) & 7U};
      use.kernel_thread = (bits & 0x80U) != 0;
      input.take(use.comm);
      const auto process = cache.process(use);
      require(process != nullptr && process->task.pid == use.tgid);
      require(!cache.terminated(*process) || cache.ended() > 0);
    } else if (action % 8 == 6) {
      const auto cgroup = cache.cgroup(action / 8, action);
      require(cgroup != nullptr && cgroup->id == action / 8 && !cgroup->path.empty());
    } else {
      cache.advance(now_ns += action);
    }
    require(cache.living() <= kLimit && cache.ended() <= kLimit);
    require(cache.cgroups().cached() <= kLimit);
  }
  return 0;
}
