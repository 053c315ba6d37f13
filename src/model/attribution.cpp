// SPDX-License-Identifier: Apache-2.0
#include "model/attribution.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/choice.hpp"

namespace powertrace {
namespace {

__extension__ using Wide = __int128;

constexpr std::array<Choice<Model>, 2> kModels{
    {{"time", Model::kTime}, {"cycles", Model::kCycles}}};

constexpr std::array<Choice<IdlePolicy>, 4> kIdlePolicies{
    {{"separate", IdlePolicy::kSeparate},
     {"proportional", IdlePolicy::kProportional},
     {"even", IdlePolicy::kEven},
     {"none", IdlePolicy::kNone}}};

// Estimated cycles become integer weights by a power of two that brings the largest to this many
// bits: more than a double has, so that rounding does not cost a nJ.
constexpr int kWeightBits = 56;

std::uint64_t add_saturating(std::uint64_t a, std::uint64_t b) {
  return a > std::numeric_limits<std::uint64_t>::max() - b
             ? std::numeric_limits<std::uint64_t>::max()
             : a + b;
}

// Who claims one zone: its tasks by cgroup, and as the last element the lost time.
struct Claims {
  std::vector<std::size_t> tasks;  // indices into Window::tasks
  std::vector<std::uint64_t> run_ns;
  std::vector<double> cycles;  // empty: the model is time
  std::vector<std::uint64_t> weights;
  std::vector<std::int64_t> parts;
};

// What tasks are sorted by, close together: on large windows the sort is a third of the work.
struct OrderKey {
  std::uint64_t cgroup_id;
  std::uint64_t start_ns;
  std::uint32_t pid;
  std::int32_t socket;
  std::size_t index;
  auto operator<=>(const OrderKey&) const = default;
};

// By cgroup, then by identity: cgroups are contiguous, and who gets the odd nJ does not depend on
// the order in which the window lists its tasks.
void sort_tasks(const std::vector<TaskUse>& tasks, std::vector<OrderKey>& order) {
  order.clear();
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const TaskUse& task = tasks[i];
    order.push_back({task.cgroup_id, task.task.start_ns, task.task.pid, task.socket, i});
  }
  std::sort(order.begin(), order.end());
}

// Lost time counts at the mean rate of the socket, or of the window if nothing else ran there.
std::vector<double> lost_cycles(const Window& window,
                                const std::vector<OrderKey>& order,
                                const std::vector<CounterEstimate>& estimates) {
  struct Sum {
    double cycles = 0;
    double run_ns = 0;
  };
  std::vector<Sum> sockets(window.sockets.size());
  Sum all;
  for (const OrderKey& key : order) {
    const TaskUse& task = window.tasks[key.index];
    const double cycles = estimates[key.index].cycles;
    const auto run_ns = static_cast<double>(task.run_ns);
    all.cycles += cycles;
    all.run_ns += run_ns;
    if (task.socket >= 0 && static_cast<std::size_t>(task.socket) < sockets.size()) {
      sockets[static_cast<std::size_t>(task.socket)].cycles += cycles;
      sockets[static_cast<std::size_t>(task.socket)].run_ns += run_ns;
    }
  }
  std::vector<double> lost;
  lost.reserve(sockets.size());
  for (std::size_t s = 0; s < sockets.size(); ++s) {
    const Sum& sum = sockets[s].run_ns > 0 ? sockets[s] : all;
    const double rate = sum.run_ns > 0 ? sum.cycles / sum.run_ns : 0;
    lost.push_back(static_cast<double>(window.sockets[s].lost_ns) * rate);
  }
  return lost;
}

// Returns false if there is not one cycle.
bool scale_cycles(std::span<const double> cycles, std::span<std::uint64_t> weights) {
  const auto largest = std::max_element(cycles.begin(), cycles.end());
  if (largest == cycles.end() || *largest <= 0) {
    return false;
  }
  int exponent = 0;
  std::frexp(*largest, &exponent);
  const double scale = std::ldexp(1.0, kWeightBits - exponent);
  std::transform(cycles.begin(), cycles.end(), weights.begin(),
                 [scale](double value) { return static_cast<std::uint64_t>(value * scale); });
  return true;
}

// The window as all of its zones see it.
struct Load {
  const Window& window;
  const std::vector<CounterEstimate>& estimates;  // by task
  bool by_cycles = false;
  const std::vector<OrderKey>& order;  // of tasks
  std::vector<double> lost_cycles;     // by socket
};

void collect_claims(const Load& load, int socket, Claims& claims) {
  claims.tasks.clear();
  claims.run_ns.clear();
  claims.cycles.clear();
  for (const OrderKey& key : load.order) {
    if (socket < 0 || key.socket == socket) {
      claims.tasks.push_back(key.index);
      claims.run_ns.push_back(load.window.tasks[key.index].run_ns);
      if (load.by_cycles) {
        claims.cycles.push_back(load.estimates[key.index].cycles);
      }
    }
  }
  std::uint64_t lost_ns = 0;
  double lost_cycles = 0;
  for (std::size_t s = 0; s < load.window.sockets.size(); ++s) {
    if (socket < 0 || static_cast<std::size_t>(socket) == s) {
      lost_ns = add_saturating(lost_ns, load.window.sockets[s].lost_ns);
      lost_cycles += load.lost_cycles[s];
    }
  }
  claims.run_ns.push_back(lost_ns);
  if (load.by_cycles) {
    claims.cycles.push_back(lost_cycles);
  }
  claims.weights.resize(claims.run_ns.size());
  claims.parts.resize(claims.run_ns.size());
}

// One zone's energy on its way to its claimants.
class ZoneDivision {
 public:
  ZoneDivision(const Window& window, Claims& claims, std::size_t zone, Attribution& result)
      : window_(window), claims_(claims), zone_(zone), result_(result) {}

  // False: nothing ran and nothing was lost.
  [[nodiscard]] bool possible() const {
    return std::any_of(claims_.run_ns.begin(), claims_.run_ns.end(),
                       [](std::uint64_t run_ns) { return run_ns > 0; });
  }

  void by_model(std::int64_t energy_nj) { by_model(energy_nj, 0, claims_.run_ns.size()); }
  void by_run_time(std::int64_t energy_nj) {
    give(energy_nj, claims_.run_ns, 0, claims_.run_ns.size());
  }

  // An equal part to every cgroup that ran. Returns what is left because none did.
  std::int64_t over_cgroups(std::int64_t energy_nj) {
    std::int64_t cgroups = 0;
    each_cgroup([&](std::size_t, std::size_t) { ++cgroups; });
    if (energy_nj == 0 || cgroups == 0) {
      return energy_nj;
    }
    std::int64_t larger_parts = energy_nj % cgroups;
    each_cgroup([&](std::size_t from, std::size_t count) {
      by_model(energy_nj / cgroups + (larger_parts-- > 0 ? 1 : 0), from, count);
    });
    return 0;
  }

 private:
  // Claimants without one cycle between them still ran: they divide by run time.
  void by_model(std::int64_t energy_nj, std::size_t from, std::size_t count) {
    const auto weights = std::span(claims_.weights).subspan(from, count);
    if (!claims_.cycles.empty() &&
        scale_cycles(std::span(claims_.cycles).subspan(from, count), weights)) {
      give(energy_nj, weights, from, count);
    } else {
      give(energy_nj, std::span(claims_.run_ns).subspan(from, count), from, count);
    }
  }

  void give(std::int64_t energy_nj,
            std::span<const std::uint64_t> weights,
            std::size_t from,
            std::size_t count) {
    const auto parts = std::span(claims_.parts).subspan(from, count);
    if (energy_nj == 0 || !divide_exactly(energy_nj, weights, parts)) {
      return;
    }
    for (std::size_t k = 0; k < count; ++k) {
      if (from + k < claims_.tasks.size()) {
        result_.energy_nj[claims_.tasks[from + k] * result_.zone_count + zone_] += parts[k];
      } else {
        result_.remainders[zone_].unattributed_nj += parts[k];
      }
    }
  }

  // visit(first claim, number of claims) for each cgroup that has run time.
  template <typename Visit>
  void each_cgroup(Visit visit) const {
    const std::vector<std::size_t>& tasks = claims_.tasks;
    for (std::size_t from = 0, to = 0; from < tasks.size(); from = to) {
      bool ran = false;
      for (; to < tasks.size() &&
             window_.tasks[tasks[to]].cgroup_id == window_.tasks[tasks[from]].cgroup_id;
           ++to) {
        ran = ran || claims_.run_ns[to] > 0;
      }
      if (ran) {
        visit(from, to - from);
      }
    }
  }

  const Window& window_;
  Claims& claims_;
  std::size_t zone_;
  Attribution& result_;
};

// The part of `energy_nj` that `idle_mw` explains. 1 mW x 1 ns = 1/1000 nJ.
std::int64_t idle_energy_nj(std::int64_t energy_nj,
                            std::optional<std::int64_t> idle_mw,
                            std::uint64_t duration_ns) {
  if (!idle_mw || *idle_mw <= 0) {
    return 0;
  }
  return static_cast<std::int64_t>(
      std::min(Wide{energy_nj}, Wide{*idle_mw} * static_cast<Wide>(duration_ns) / 1000));
}

void divide_zone(ZoneDivision& division,
                 IdlePolicy policy,
                 std::int64_t energy_nj,
                 std::int64_t idle_nj,
                 ZoneRemainder& remainder) {
  switch (policy) {
    case IdlePolicy::kSeparate:
      remainder.idle_nj += idle_nj;
      break;
    case IdlePolicy::kProportional:
      division.by_run_time(idle_nj);
      break;
    case IdlePolicy::kEven:
      remainder.idle_nj += division.over_cgroups(idle_nj);
      break;
    case IdlePolicy::kNone:
      idle_nj = 0;
      break;
  }
  division.by_model(energy_nj - idle_nj);
}

}  // namespace

std::string_view model_name(Model model) {
  return choice_name(kModels, model);
}

std::string_view idle_policy_name(IdlePolicy policy) {
  return choice_name(kIdlePolicies, policy);
}

Result<Model> parse_model(std::string_view text) {
  return parse_choice("an attribution model", text, kModels);
}

Result<IdlePolicy> parse_idle_policy(std::string_view text) {
  return parse_choice("an idle policy", text, kIdlePolicies);
}

Attribution attribute(const Window& window,
                      std::span<const Zone> zones,
                      std::span<const std::optional<std::int64_t>> idle_mw,
                      const AttributionConfig& config) {
  // Called for every window of a long run: the memory is kept.
  thread_local std::vector<OrderKey> order;
  thread_local Claims claims;

  Attribution result;
  result.zone_count = zones.size();
  result.energy_nj.assign(window.tasks.size() * zones.size(), 0);
  result.remainders.assign(zones.size(), {});
  const CounterRates rates(window);
  result.estimates.reserve(window.tasks.size());
  for (const TaskUse& task : window.tasks) {
    result.estimates.push_back(rates.estimate(task));
  }

  sort_tasks(window.tasks, order);
  const bool by_cycles = config.model == Model::kCycles && rates.any();
  result.rate_spread = by_cycles ? rates.spread() : 0;
  const Load load{window, result.estimates, by_cycles, order,
                  lost_cycles(window, order, result.estimates)};

  std::optional<int> collected_for;
  for (std::size_t zone = 0; zone < std::min(zones.size(), window.zones.size()); ++zone) {
    const ZoneDelta& delta = window.zones[zone];
    const std::int64_t energy_nj = usable_energy_nj(delta);
    if (energy_nj == 0) {
      continue;
    }
    ZoneRemainder& remainder = result.remainders[zone];
    const std::optional<std::int64_t> zone_idle_mw =
        zone < idle_mw.size() ? idle_mw[zone] : std::nullopt;
    const std::int64_t idle_nj = idle_energy_nj(energy_nj, zone_idle_mw, delta.duration_ns);
    if (collected_for != zones[zone].socket) {  // package and dram of one socket share their claims
      collect_claims(load, zones[zone].socket, claims);
      collected_for = zones[zone].socket;
    }
    ZoneDivision division(window, claims, zone, result);
    if (division.possible()) {
      divide_zone(division, config.idle, energy_nj, idle_nj, remainder);
    } else {
      remainder.idle_nj = zone_idle_mw ? idle_nj : energy_nj;
      remainder.unattributed_nj = energy_nj - remainder.idle_nj;
    }
  }
  return result;
}

}  // namespace powertrace
