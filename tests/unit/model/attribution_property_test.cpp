// SPDX-License-Identifier: Apache-2.0
//
// What must hold for any window, model and policy.
#include <algorithm>
#include <map>
#include <numeric>

#include <doctest/doctest.h>

#include "unit/model/make.hpp"

namespace powertrace {
namespace {

using test::Random;
using test::Scene;

// check(scene, config) for many random scenes under every model and policy.
template <typename Check>
void for_random_scenes(int rounds, Check check) {
  CAPTURE(test::seed());
  Random random(test::seed());
  for (int round = 0; round < rounds; ++round) {
    CAPTURE(round);
    const Scene scene = random.scene();
    for (const Model model : test::kAllModels) {
      for (const IdlePolicy policy : test::kAllPolicies) {
        CAPTURE(model_name(model));
        CAPTURE(idle_policy_name(policy));
        check(scene, AttributionConfig{model, policy}, random);
      }
    }
  }
}

Attribution attribute_scene(const Scene& scene, const AttributionConfig& config) {
  return attribute(scene.window, scene.zones, scene.idle_mw, config);
}

}  // namespace

TEST_CASE("attribution: every zone adds up exactly, and nobody gets less than nothing") {
  for_random_scenes(3000, [](const Scene& scene, const AttributionConfig& config, Random&) {
    const Attribution result = attribute_scene(scene, config);
    REQUIRE(result.zone_count == scene.zones.size());
    for (std::size_t z = 0; z < scene.zones.size(); ++z) {
      const ZoneRemainder& remainder = result.remainders[z];
      std::int64_t sum = remainder.idle_nj + remainder.unattributed_nj;
      bool sane = remainder.idle_nj >= 0 && remainder.unattributed_nj >= 0;
      for (std::size_t i = 0; i < scene.window.tasks.size(); ++i) {
        const TaskUse& task = scene.window.tasks[i];
        const std::int64_t energy_nj = result.task(i)[z];
        sum += energy_nj;
        const bool may =
            task.run_ns > 0 && (scene.zones[z].socket < 0 || scene.zones[z].socket == task.socket);
        sane = sane && energy_nj >= 0 && (may || energy_nj == 0);
      }
      CHECK(sane);
      CHECK(sum == usable_energy_nj(scene.window.zones[z]));
    }
  });
}

TEST_CASE("attribution: the order of the tasks makes no difference") {
  for_random_scenes(500, [](const Scene& scene, const AttributionConfig& config, Random& random) {
    std::vector<std::size_t> from(scene.window.tasks.size());
    std::iota(from.begin(), from.end(), std::size_t{0});
    std::shuffle(from.begin(), from.end(), random.engine());
    Scene shuffled = scene;
    for (std::size_t i = 0; i < from.size(); ++i) {
      shuffled.window.tasks[i] = scene.window.tasks[from[i]];
    }
    const Attribution before = attribute_scene(scene, config);
    const Attribution after = attribute_scene(shuffled, config);
    bool same = true;
    for (std::size_t i = 0; i < from.size(); ++i) {
      const auto a = after.task(i);
      const auto b = before.task(from[i]);
      for (std::size_t z = 0; z < a.size(); ++z) {
        same = same && std::abs(a[z] - b[z]) <= 1;
      }
    }
    CHECK(same);
  });
}

TEST_CASE("attribution: twice the time and cycles of everybody changes nothing") {
  for_random_scenes(500, [](const Scene& scene, const AttributionConfig& config, Random&) {
    Scene twice = scene;
    for (TaskUse& task : twice.window.tasks) {
      task.run_ns *= 2;
      task.counted_ns *= 2;
      task.cycles *= 2;
    }
    for (SocketWindow& socket : twice.window.sockets) {
      socket.lost_ns *= 2;
    }
    CHECK(attribute_scene(scene, config).energy_nj == attribute_scene(twice, config).energy_nj);
  });
}

TEST_CASE("attribution: more energy in a zone gives nobody less") {
  for_random_scenes(500, [](const Scene& scene, const AttributionConfig& config, Random&) {
    Scene more = scene;
    for (ZoneDelta& delta : more.window.zones) {
      delta.energy_nj += delta.energy_nj;
    }
    const Attribution before = attribute_scene(scene, config);
    const Attribution after = attribute_scene(more, config);
    bool monotonic = true;
    for (std::size_t k = 0; k < before.energy_nj.size(); ++k) {
      // Largest remainders may take back the odd nJ of each of the two divisions.
      monotonic = monotonic && after.energy_nj[k] >= before.energy_nj[k] - 2;
    }
    CHECK(monotonic);
  });
}

// A task that runs X ns by itself and one that forks many children that run X ns together, in
// cgroups of their own, are owed the same.
TEST_CASE("attribution: twins get the same however one of them forks") {
  for_random_scenes(
      400, [](const Scene& random_scene, const AttributionConfig& config, Random& random) {
        Scene scene = random_scene;
        const bool use_counters = random.one_in(2);
        const std::uint64_t children = 1 + random.upto(60);
        const std::uint64_t child_ns = 1 + random.upto(2'000'000);
        const auto twin = [&](std::uint32_t pid, std::uint64_t run_ns, std::uint64_t cgroup) {
          TaskUse use = test::task(pid, run_ns, cgroup);
          use.comm = test::comm("twin");
          return use_counters ? test::counted(use, run_ns, run_ns * 3) : use;
        };
        const std::size_t first = scene.window.tasks.size();
        scene.window.tasks.push_back(twin(1000, child_ns * children, 100));
        for (std::uint32_t i = 0; i < children; ++i) {
          scene.window.tasks.push_back(twin(2000 + i, child_ns, 200));
        }
        const Attribution result = attribute_scene(scene, config);
        for (std::size_t z = 0; z < scene.zones.size(); ++z) {
          std::int64_t forked_nj = 0;
          for (std::size_t i = first + 1; i < scene.window.tasks.size(); ++i) {
            forked_nj += result.task(i)[z];
          }
          // Each part is within 1 nJ of its share, in each of up to two divisions.
          CHECK(std::abs(forked_nj - result.task(first)[z]) <=
                2 * static_cast<std::int64_t>(children + 1));
        }
      });
}

// The parts are not just exact in sum: each is the share that the policy promises, computed here in
// another way.
TEST_CASE("attribution: every task's energy is its share to the nJ") {
  for_random_scenes(400, [](const Scene& scene, const AttributionConfig& config, Random&) {
    if (config.model != Model::kTime) {
      return;  // the reference below knows time only
    }
    const Attribution result = attribute_scene(scene, config);
    const Window& window = scene.window;
    for (std::size_t z = 0; z < scene.zones.size(); ++z) {
      const int socket = scene.zones[z].socket;
      long double total_ns = 0;
      std::map<std::uint64_t, long double> cgroup_ns;
      for (const TaskUse& task : window.tasks) {
        if ((socket < 0 || task.socket == socket) && task.run_ns > 0) {
          total_ns += task.run_ns;
          cgroup_ns[task.cgroup_id] += task.run_ns;
        }
      }
      for (std::size_t s = 0; s < window.sockets.size(); ++s) {
        total_ns += socket < 0 || socket == static_cast<int>(s) ? window.sockets[s].lost_ns : 0;
      }
      const auto energy = static_cast<long double>(usable_energy_nj(window.zones[z]));
      const auto idle = std::min<long double>(
          energy, static_cast<long double>(scene.idle_mw[z].value_or(0)) *
                      static_cast<long double>(window.zones[z].duration_ns) / 1000);
      for (std::size_t i = 0; i < window.tasks.size(); ++i) {
        const TaskUse& task = window.tasks[i];
        if ((socket >= 0 && task.socket != socket) || task.run_ns == 0) {
          continue;
        }
        const long double share = task.run_ns / total_ns;
        long double expected = (energy - idle) * share;
        if (config.idle == IdlePolicy::kProportional || config.idle == IdlePolicy::kNone) {
          expected = energy * share;
        } else if (config.idle == IdlePolicy::kEven) {
          expected += idle / static_cast<long double>(cgroup_ns.size()) *
                      (task.run_ns / cgroup_ns[task.cgroup_id]);
        }
        CHECK(std::abs(static_cast<long double>(result.task(i)[z]) - expected) < 4);
      }
    }
  });
}

}  // namespace powertrace
