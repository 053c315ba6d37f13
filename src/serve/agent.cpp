// SPDX-License-Identifier: Apache-2.0
#include "serve/agent.hpp"

#include <algorithm>
#include <array>

#include <unistd.h>

#include "base/clock.hpp"
#include "identity/cgroup_mount.hpp"
#include "serve/power_api.hpp"
#include "serve/web_page.hpp"

namespace powertrace {
namespace {

// Series that do not depend on how many workloads there are.
constexpr std::size_t kFixedSeries = 200;
// A busy machine may be late; this late, something is wrong.
constexpr std::uint64_t kFreshMargin = 5'000'000'000;

std::optional<bool> exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

Liveness liveness(const SysRoot& root) {
  const CgroupMount mount = find_cgroup_mount(root);
  const bool processes = ::access(root.proc("1").c_str(), F_OK) == 0;
  Liveness made;
  made.process = [root, processes](const ProcessIdentity& process) -> std::optional<bool> {
    if (!processes) {
      return std::nullopt;
    }
    return exists(root.proc(std::to_string(process.task.pid)));
  };
  made.cgroup = [mount](const CgroupIdentity& cgroup) -> std::optional<bool> {
    // Paths are from the hierarchy's root; a partial mount shows only what is below its own.
    const std::string_view root_path = mount.root == "/" ? "" : std::string_view(mount.root);
    if (mount.directory.empty() || !cgroup.path.starts_with('/') ||
        !cgroup.path.starts_with(root_path)) {
      return std::nullopt;
    }
    return exists(mount.directory + cgroup.path.substr(root_path.size()));
  };
  return made;
}

Response ready(const Board& board) {
  const PublishedPtr current = board.read();
  if (!current) {
    return problem(503, "there is no snapshot yet");
  }
  const std::uint64_t age_ns = monotonic_ns() - current->account->snapshot->end_ns;
  if (age_ns > 3 * current->interval_ns + kFreshMargin) {
    return problem(503, fmt::format("the last snapshot is {} s old", age_ns / 1'000'000'000));
  }
  return text_response("ready\n");
}

}  // namespace

Agent::Agent(const SysRoot& root, AgentConfig config, std::function<ServerStats()> stats)
    : config_(std::move(config)),
      page_(std::make_shared<const PageConfig>(config_.page)),
      account_(account_config(config_), liveness(root)),
      metrics_(board_, std::move(stats)) {}

AccountConfig Agent::account_config(const AgentConfig& config) const {
  AccountConfig account = config.account;
  account.node_name = config.page.node_name;
  account.even_idle = config.page.schemas.kepler1;
  account.processes = config.page.levels[static_cast<std::size_t>(AccountLevel::kProcess)];
  account.max_series =
      config.max_series == 0 ? 0 : std::max(config.max_series, kFixedSeries + 1) - kFixedSeries;
  for (std::size_t i = 0; i < kAccountLevels; ++i) {
    account.series_each[i] = config.page.levels[i]
                                 ? series_per_workload(static_cast<AccountLevel>(i), config.page,
                                                       std::max<std::size_t>(1, zone_kinds_))
                                 : 0;
  }
  return account;
}

void Agent::add(const SnapshotPtr& snapshot) {
  if (zone_kinds_ == 0) {
    std::array<bool, kZoneKinds> seen{};
    for (const Zone& zone : snapshot->zones) {
      seen[kind_index(zone.kind)] = true;
    }
    zone_kinds_ = static_cast<std::size_t>(std::count(seen.begin(), seen.end(), true));
    account_.configure(account_config(config_));
  }
  account_.add(snapshot);
  auto published = std::make_shared<Published>();
  published->account = account_.view();
  published->page = page_;
  published->interval_ns = config_.interval_ns;
  history_.add(published->account);
  board_.publish(std::move(published));
}

void Agent::configure(AgentConfig config) {
  config_ = std::move(config);
  page_ = std::make_shared<const PageConfig>(config_.page);
  account_.configure(account_config(config_));
}

void Agent::add_routes(Router& router) {
  router.add("GET", "/metrics",
             [this](const Request& request) { return metrics_.answer(request); });
  router.add("GET", "/healthz", [](const Request&) { return text_response("ok\n"); });
  router.add("GET", "/readyz", [this](const Request&) { return ready(board_); });
  add_power_routes(router, board_, history_);
  add_page_files(router);
  add_live_page(router);
}

}  // namespace powertrace
