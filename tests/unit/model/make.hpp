// SPDX-License-Identifier: Apache-2.0
//
// Short ways to write windows, and random ones. POWERTRACE_TEST_SEED repeats a failed run.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "model/attribution.hpp"
#include "model/window.hpp"
#include "support/units.hpp"

namespace powertrace::test {

constexpr std::int64_t kJoule = 1'000'000'000;

inline std::uint64_t seed() {
  static const std::uint64_t value = [] {
    const char* text = std::getenv("POWERTRACE_TEST_SEED");
    return text != nullptr ? std::strtoull(text, nullptr, 10) : std::random_device{}();
  }();
  return value;
}

inline Comm comm(std::string_view text) {
  Comm result{};
  std::copy_n(text.begin(), std::min(text.size(), result.size() - 1), result.begin());
  return result;
}

inline TaskUse task(std::uint32_t pid, std::uint64_t run_ns, std::uint64_t cgroup_id = 1) {
  TaskUse use;
  use.task = {pid, pid * 1000ULL};
  use.tgid = pid;
  use.cgroup_id = cgroup_id;
  use.comm = comm("task-" + std::to_string(pid));
  use.run_ns = run_ns;
  return use;
}

inline TaskUse counted(TaskUse use,
                       std::uint64_t counted_ns,
                       std::uint64_t cycles,
                       std::uint64_t instructions = 0) {
  use.counted_ns = counted_ns;
  use.cycles = cycles;
  use.instructions = instructions;
  return use;
}

inline Zone zone(std::string name, int socket = 0, bool in_total = true) {
  Zone result;
  result.name = std::move(name);
  result.socket = socket;
  result.in_total = in_total;
  result.measured = true;
  return result;
}

inline ZoneDelta joules(double value, std::uint64_t duration_ns = kSecond) {
  return {ZoneStatus::kOk, 0, static_cast<std::int64_t>(value * 1e9), duration_ns};
}

// One socket of four CPUs for one second.
inline Window window(std::vector<TaskUse> tasks, std::vector<ZoneDelta> zones) {
  Window result;
  result.end_ns = kSecond;
  result.tasks = std::move(tasks);
  result.sockets = {{4 * kSecond, 0}};
  result.zones = std::move(zones);
  return result;
}

struct Scene {
  Window window;
  std::vector<Zone> zones;
  std::vector<std::optional<std::int64_t>> idle_mw;
};

class Random {
 public:
  explicit Random(std::uint64_t value) : engine_(value) {}

  std::uint64_t upto(std::uint64_t highest) {
    return std::uniform_int_distribution<std::uint64_t>(0, highest)(engine_);
  }
  bool one_in(std::uint64_t n) { return upto(n - 1) == 0; }
  // Every order of magnitude is as likely as any other.
  std::uint64_t magnitude(unsigned highest_bit) { return upto((2ULL << upto(highest_bit)) - 1); }
  std::mt19937_64& engine() { return engine_; }

  TaskUse task(std::uint32_t pid, std::size_t sockets) {
    TaskUse use = test::task(pid, one_in(8) ? 0 : magnitude(huge_ ? 59 : 30), upto(4));
    use.comm = comm("c" + std::to_string(upto(5)));
    use.tgid = 1 + pid / 3;
    use.socket = static_cast<std::int32_t>(upto(sockets - 1));
    use.kernel_thread = one_in(6);
    use.switches = static_cast<std::uint32_t>(upto(100));
    if (counters_ && !one_in(3)) {
      use.counted_ns = upto(use.run_ns);
      use.cycles = use.counted_ns == 0 || one_in(10) ? 0 : upto(use.counted_ns) * 4;
      use.instructions = use.cycles / 2;
    }
    return use;
  }

  Scene scene() {
    huge_ = one_in(6);
    counters_ = !one_in(4);
    Scene result;
    const std::size_t sockets = 1 + upto(2);
    result.window.end_ns = kSecond;
    for (std::size_t s = 0; s < sockets; ++s) {
      result.window.sockets.push_back({8 * kSecond, one_in(2) ? 0 : magnitude(huge_ ? 59 : 28)});
    }
    const auto tasks = static_cast<std::uint32_t>(one_in(8) ? 0 : upto(40));
    for (std::uint32_t pid = 1; pid <= tasks; ++pid) {
      result.window.tasks.push_back(task(pid, sockets));
    }
    // One socket more than there is: nothing can have run there.
    for (int socket = -1; socket <= static_cast<int>(sockets); ++socket) {
      add_zone(result, "package-" + std::to_string(socket), socket, socket >= 0);
      add_zone(result, "dram-" + std::to_string(socket), socket, one_in(2));
    }
    return result;
  }

 private:
  void add_zone(Scene& scene, std::string name, int socket, bool in_total) {
    scene.zones.push_back(zone(std::move(name), socket, in_total));
    scene.zones.back().measured = !one_in(3);
    ZoneDelta delta;
    delta.duration_ns = magnitude(33);
    if (one_in(5)) {
      delta.status = static_cast<ZoneStatus>(1 + upto(3));
    } else {
      delta.energy_nj = static_cast<std::int64_t>(upto(9) < 2 ? upto(20) : magnitude(49));
    }
    scene.window.zones.push_back(delta);
    scene.idle_mw.push_back(one_in(3) ? std::nullopt
                                      : std::optional(static_cast<std::int64_t>(magnitude(20))));
  }

  std::mt19937_64 engine_;
  bool huge_ = false;
  bool counters_ = false;
};

constexpr Model kAllModels[] = {Model::kTime, Model::kCycles};
constexpr IdlePolicy kAllPolicies[] = {IdlePolicy::kSeparate, IdlePolicy::kProportional,
                                       IdlePolicy::kEven, IdlePolicy::kNone};

inline const std::vector<Zone> two_zones{zone("package-0"), zone("psys", -1, false)};

}  // namespace powertrace::test
