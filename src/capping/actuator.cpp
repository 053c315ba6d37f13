// SPDX-License-Identifier: Apache-2.0
#include "capping/actuator.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <exception>

#include <unistd.h>

#include "base/choice.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"

namespace powertrace {
namespace {

constexpr int kLockWaitMs = 2000;  // a guardian may be restoring what our predecessor left
constexpr double kMaxBackoffS = 3600;

constexpr std::array kHealthNames{Choice<ZoneHealth>{"ok", ZoneHealth::kOk},
                                  Choice<ZoneHealth>{"locked", ZoneHealth::kLocked},
                                  Choice<ZoneHealth>{"ineffective", ZoneHealth::kIneffective},
                                  Choice<ZoneHealth>{"contended", ZoneHealth::kContended},
                                  Choice<ZoneHealth>{"gone", ZoneHealth::kGone},
                                  Choice<ZoneHealth>{"refused", ZoneHealth::kRefused}};

std::uint64_t quantise(double limit_uw) {
  return static_cast<std::uint64_t>(limit_uw) / kLimitUnitUw * kLimitUnitUw;
}

SavedLimit saved_limit(const PowerConstraint& constraint) {
  return {constraint.index, constraint.limit_text, {}};
}

SavedZone saved_zone(const PowerZone& zone) {
  SavedZone saved;
  saved.dir = zone.dir;
  saved.name = zone.name;
  saved.enabled = zone.enabled_text;
  saved.window = zone.long_term->window_text;
  saved.long_term = saved_limit(*zone.long_term);
  if (zone.short_term) {
    saved.short_term = saved_limit(*zone.short_term);
  }
  return saved;
}

}  // namespace

std::string_view zone_health_name(ZoneHealth health) {
  return choice_name(kHealthNames, health);
}

struct Actuator::Controlled {
  PowerZone zone;
  SavedZone* saved = nullptr;
  std::uint64_t long_uw = 0;  // last written, or as found
  std::uint64_t short_uw = 0;
  ZoneHealth health = ZoneHealth::kOk;
  std::string reason;
  double backoff_s = 0;
  double blocked_until_s = 0;

  [[nodiscard]] bool usable() const {
    return health == ZoneHealth::kOk || health == ZoneHealth::kContended;
  }
};

Actuator::Actuator(SysfsIo& io, StateDir dir, ActuatorOptions options)
    : io_(io), dir_(std::move(dir)), options_(options) {}

Result<std::unique_ptr<Actuator>> Actuator::open(SysfsIo& io,
                                                 const SysRoot& root,
                                                 const StateDir& dir,
                                                 std::optional<std::uint64_t> user_max_uw,
                                                 const ActuatorOptions& options) {
  std::unique_ptr<Actuator> actuator(new Actuator(io, dir, options));
  PT_ASSIGN(actuator->lock_, dir.lock(kLockWaitMs));
  // What a crash left behind would otherwise be saved as the original.
  PT_ASSIGN(actuator->recovered_, restore_state(io, dir, root));
  if (actuator->recovered_.failed > 0) {
    return fail(ErrorCode::kIo, "limits of an earlier run cannot be put back: {}",
                fmt::join(actuator->recovered_.lines, "; "));
  }
  PT_ASSIGN(std::vector<PowerZone> found, find_package_zones(io, root, user_max_uw));
  std::string problems;
  for (PowerZone& zone : found) {
    if (!zone.problem.empty()) {
      problems += fmt::format("{}{}: {}", problems.empty() ? "" : "; ", zone.name, zone.problem);
      actuator->refused_.push_back(std::move(zone));
      continue;
    }
    actuator->state_.zones.push_back(saved_zone(zone));
    Controlled controlled;
    controlled.long_uw = zone.long_term->limit_uw;
    controlled.short_uw = zone.short_term ? zone.short_term->limit_uw : 0;
    controlled.zone = std::move(zone);
    actuator->zones_.push_back(std::move(controlled));
  }
  if (actuator->zones_.empty()) {
    return fail(ErrorCode::kUnsupported, "no package can be limited: {}", problems);
  }
  for (std::size_t i = 0; i < actuator->zones_.size(); ++i) {
    actuator->zones_[i].saved = &actuator->state_.zones[i];
  }
  actuator->state_.boot_id = boot_id(root);
  actuator->state_.pid = ::getpid();
  actuator->state_.started = format_utc(realtime_ns());
  PT_TRY(actuator->save());
  return actuator;
}

Actuator::~Actuator() {
  try {
    close();
  } catch (const std::exception&) {
    // Out of memory. The saved originals stay: the next start and `cap restore` find them.
    std::fputs("powertrace: limits may be left as they are: run 'powertrace cap restore'\n",
               stderr);
  }
}

void Actuator::close() {
  if (!lock_.valid()) {
    return;
  }
  restore("exit");
  const bool anything_left =
      std::any_of(state_.zones.begin(), state_.zones.end(), [](const SavedZone& zone) {
        return !zone.long_term.ours.empty() || (zone.short_term && !zone.short_term->ours.empty());
      });
  if (!anything_left) {
    if (const Status removed = dir_.remove(); !removed) {
      log_error("{}", removed.error().message);
    }
  }
}

double Actuator::original_w() const {
  double sum_uw = 0;
  for (const Controlled& zone : zones_) {
    sum_uw += static_cast<double>(zone.zone.most_uw());
  }
  return sum_uw / 1e6;
}

double Actuator::reference_w() const {
  double sum_uw = 0;
  for (const Controlled& zone : zones_) {
    sum_uw += static_cast<double>(zone.zone.reference_uw().value_or(0));
  }
  return sum_uw / 1e6;
}

Status Actuator::save() {
  return dir_.save(state_);
}

Status Actuator::apply(double now_s, double node_w) {
  const double most_w = original_w();
  // A little above is rounding of the caller's.
  if (!(node_w > 0) || node_w > most_w + 0.001) {
    return fail(ErrorCode::kUsage, "{:g} W is more than the {:g} W that were found", node_w,
                most_w);
  }
  for (Controlled& zone : zones_) {
    const auto zone_most_uw = static_cast<double>(zone.zone.most_uw());
    const std::uint64_t limit_uw = quantise(node_w / most_w * zone_most_uw + 0.5);
    if (limit_uw < kLeastLimitUw) {
      return fail(ErrorCode::kUsage, "{:g} W for {} is no power a package can run at", node_w,
                  zone.zone.name);
    }
  }
  for (Controlled& zone : zones_) {
    const auto zone_most_uw = static_cast<double>(zone.zone.most_uw());
    const bool free = node_w >= most_w - 0.001;
    set_limit(zone, now_s,
              free ? zone.zone.long_term->limit_uw
                   : std::min(quantise(node_w / most_w * zone_most_uw + 0.5),
                              zone.zone.long_term->limit_uw));
  }
  return {};
}

// Whether this zone may be written now: it holds what we left in it.
bool Actuator::watch(Controlled& zone, double now_s) {
  const auto now_uw = io_.read_number(zone.zone.limit_path(*zone.zone.long_term));
  if (!now_uw) {
    const bool gone = now_uw.error().sys_errno == ENOENT || now_uw.error().sys_errno == ENODEV;
    give_up(zone, gone ? ZoneHealth::kGone : ZoneHealth::kLocked, now_uw.error().message,
            gone ? "gone" : "unreadable");
    return false;
  }
  if (zone.health == ZoneHealth::kContended && now_s < zone.blocked_until_s) {
    return false;
  }
  const bool ours = same_limit(*now_uw, zone.long_uw);
  const bool original = same_limit(*now_uw, zone.zone.long_term->limit_uw);
  if (ours || (original && zone.health == ZoneHealth::kContended)) {
    zone.long_uw = *now_uw;
    zone.health = ZoneHealth::kOk;
    zone.reason.clear();
    return true;
  }
  if (zone.health != ZoneHealth::kContended) {
    ++counts_.contention;
    ++counts_.errors["contention"];
    zone.backoff_s =
        zone.backoff_s > 0 ? std::min(zone.backoff_s * 2, kMaxBackoffS) : options_.backoff_s;
    zone.reason =
        fmt::format("somebody else set {:g} W where we had set {:g} W",
                    static_cast<double>(*now_uw) / 1e6, static_cast<double>(zone.long_uw) / 1e6);
    log_warn("{}: {}; leaving it alone for {:g} s", zone.zone.name, zone.reason, zone.backoff_s);
  }
  zone.health = ZoneHealth::kContended;
  zone.blocked_until_s = now_s + zone.backoff_s;
  return false;
}

void Actuator::set_limit(Controlled& zone, double now_s, std::uint64_t limit_uw) {
  if (!zone.usable() || !watch(zone, now_s)) {
    return;
  }
  std::optional<std::uint64_t> short_uw;
  if (zone.zone.short_term) {
    const std::uint64_t original_uw = zone.zone.short_term->limit_uw;
    short_uw = original_uw;
    if (options_.with_short_term && limit_uw < zone.zone.long_term->limit_uw) {
      const double ratio =
          static_cast<double>(original_uw) / static_cast<double>(zone.zone.long_term->limit_uw);
      short_uw = std::max(limit_uw, quantise(static_cast<double>(limit_uw) * ratio));
    }
    if (*short_uw == zone.short_uw) {
      short_uw.reset();
    }
  }
  if (limit_uw == zone.long_uw && !short_uw) {
    return;
  }
  if (const Status status = write_pair(zone, limit_uw, short_uw); !status) {
    failed(zone, status.error());
  }
}

// The intent is on disk before the hardware hears of it; both values stay there until the new one
// is confirmed.
Status Actuator::write_pair(Controlled& zone,
                            std::uint64_t long_uw,
                            std::optional<std::uint64_t> short_uw) {
  const bool lowering = long_uw < zone.long_uw;
  SavedZone& saved = *zone.saved;
  saved.long_term.ours = {zone.long_uw, long_uw};
  if (short_uw) {
    saved.short_term->ours = {zone.short_uw, *short_uw};
  }
  const bool enable = !zone.zone.enabled && !saved.enabled_by_us;
  saved.enabled_by_us = saved.enabled_by_us || enable;
  PT_TRY(save());
  if (short_uw && !lowering) {
    PT_TRY(write_one(zone, false, *short_uw));
    zone.short_uw = *short_uw;
  }
  if (long_uw != zone.long_uw) {
    PT_TRY(write_one(zone, true, long_uw));
    zone.long_uw = long_uw;
  }
  if (short_uw && lowering) {
    PT_TRY(write_one(zone, false, *short_uw));
    zone.short_uw = *short_uw;
  }
  if (enable) {
    // A limit of a disabled zone does nothing.
    PT_TRY(io_.write(zone.zone.dir + "/enabled", "1\n"));
    ++counts_.writes;
  }
  saved.long_term.ours = {zone.long_uw};
  return {};
}

Status Actuator::write_one(const Controlled& zone, bool long_term, std::uint64_t limit_uw) {
  const std::string path =
      zone.zone.limit_path(long_term ? *zone.zone.long_term : *zone.zone.short_term);
  const PowerConstraint& original = long_term ? *zone.zone.long_term : *zone.zone.short_term;
  const std::string text =
      limit_uw == original.limit_uw ? original.limit_text : fmt::format("{}\n", limit_uw);
  for (int attempt = 0; attempt < 2; ++attempt) {
    PT_TRY(io_.write(path, text));
    ++counts_.writes;
    const auto now_uw = io_.read_number(path);
    if (now_uw && same_limit(*now_uw, limit_uw)) {
      return {};
    }
  }
  return fail(ErrorCode::kIo, "{} does not keep what is written to it", path);
}

void Actuator::failed(Controlled& zone, const Error& error) {
  switch (error.sys_errno) {
    case ENODATA:
    case EPERM:
    case EACCES:
    case EROFS:
      give_up(zone, ZoneHealth::kLocked,
              error.sys_errno == ENODATA ? "its limit is locked by the firmware" : error.message,
              error.sys_errno == ENODATA ? "locked" : "permission");
      return;
    case ENOENT:
    case ENODEV:
      give_up(zone, ZoneHealth::kGone, error.message, "gone");
      return;
    case 0:
      give_up(zone, ZoneHealth::kIneffective, error.message, "ineffective");
      return;
    default:
      give_up(zone, ZoneHealth::kIneffective, error.message, "write");
  }
}

void Actuator::give_up(Controlled& zone, ZoneHealth health, std::string reason, const char* error) {
  zone.health = health;
  zone.reason = std::move(reason);
  ++counts_.errors[error];
  RestoreReport report;
  restore_zone(io_, *zone.saved, report);
  log_error("{}: {}; {}", zone.zone.name, zone.reason,
            report.failed == 0 ? "it is left as it was found"
                               : "its limit could not be put back: `powertrace cap restore` does "
                                 "that as soon as the zone works again");
  zone.long_uw = zone.zone.long_term->limit_uw;
  zone.short_uw = zone.zone.short_term ? zone.zone.short_term->limit_uw : 0;
  if (const Status saved = save(); !saved) {
    log_error("{}", saved.error().message);
  }
}

void Actuator::restore(const std::string& trigger) {
  RestoreReport report;
  bool any = false;
  for (Controlled& zone : zones_) {
    const bool written = !zone.saved->long_term.ours.empty() ||
                         (zone.saved->short_term && !zone.saved->short_term->ours.empty());
    if (!written) {
      continue;
    }
    any = true;
    restore_zone(io_, *zone.saved, report);
    if (zone.health == ZoneHealth::kOk) {
      zone.long_uw = zone.zone.long_term->limit_uw;
      zone.short_uw = zone.zone.short_term ? zone.zone.short_term->limit_uw : 0;
    }
  }
  if (!any) {
    return;
  }
  ++counts_.restores[trigger];
  counts_.errors["restore"] += static_cast<std::uint64_t>(report.failed);
  for (const std::string& line : report.lines) {
    log_info("{}: {}", trigger, line);
  }
  if (const Status saved = save(); !saved) {
    log_error("{}", saved.error().message);
  }
}

std::vector<ZoneView> Actuator::zones() const {
  std::vector<ZoneView> views;
  for (const Controlled& zone : zones_) {
    views.push_back(
        {zone.zone.name, zone.health, zone.reason, zone.zone.long_term->limit_uw, zone.long_uw});
  }
  for (const PowerZone& zone : refused_) {
    const std::uint64_t limit_uw = zone.long_term ? zone.long_term->limit_uw : 0;
    views.push_back({zone.name, ZoneHealth::kRefused, zone.problem, limit_uw, limit_uw});
  }
  return views;
}

bool Actuator::any_usable() const {
  return std::any_of(zones_.begin(), zones_.end(),
                     [](const Controlled& zone) { return zone.usable(); });
}

}  // namespace powertrace
