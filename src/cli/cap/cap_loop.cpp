// SPDX-License-Identifier: Apache-2.0
#include "cli/cap/cap_loop.hpp"

#include <algorithm>
#include <cmath>

#include <unistd.h>

#include "base/atomic_file.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/units.hpp"
#include "cli/output.hpp"
#include "market/local_time.hpp"

namespace powertrace {
namespace {

constexpr double kLowFloor = 0.2;
constexpr std::uint64_t kPublishEveryNs = 5'000'000'000;
constexpr std::size_t kEffectRows = 20;

}  // namespace

CapLoop::CapLoop(const GlobalOptions& global, const CapOptions& options)
    : options_(options),
      root_(global.pipeline.root),
      state_dir_(options.state_dir),
      sampler_(root_, options.by) {}

Result<std::unique_ptr<CapLoop>> CapLoop::open(const GlobalOptions& global,
                                               const CapOptions& options) {
  std::unique_ptr<CapLoop> loop(new CapLoop(global, options));
  // What is wrong with the data is said before anything is taken over.
  if (const auto quantity = policy_input(options.policy)) {
    loop->input_.emplace(options.market_dir, *quantity, options.area, options.provider);
    if (options.tariff && *quantity == Quantity::kPrice) {
      loop->input_->use_tariff(*options.tariff, options.policy.zone);
    }
    if (loop->input_->get(static_cast<std::int64_t>(loop->now_s())) == nullptr) {
      return fail(ErrorCode::kNotFound,
                  "the policy {} needs a {}{}, and {} has none: get it with `powertrace market "
                  "fetch` or `powertrace market import`",
                  policy_name(options.policy.kind), quantity_name(*quantity),
                  options.area.empty() ? "" : " for " + options.area, options.market_dir);
    }
  }
  PT_TRY(loop->find_zones());
  PT_TRY(loop->make_controller());
  return loop;
}

Status CapLoop::find_zones() {
  auto found = find_package_zones(io_, root_, options_.max_uw);
  if (!found && !options_.enforce && options_.max_uw) {
    // Decisions can be watched where nothing can be limited.
    original_w_ = static_cast<double>(*options_.max_uw) / 1e6;
    log_warn("{}; decisions are for one package of {:g} W", found.error().message, original_w_);
    return {};
  }
  if (!found) {
    return tl::make_unexpected(found.error());
  }
  if (options_.enforce) {
    ActuatorOptions actuator;
    actuator.with_short_term = options_.with_short_term;
    PT_ASSIGN(actuator_, Actuator::open(io_, root_, state_dir_, options_.max_uw, actuator));
    for (const std::string& line : actuator_->recovered().lines) {
      log_info("at start: {}", line);
    }
    PT_ASSIGN(found.value(), find_package_zones(io_, root_, options_.max_uw));
  }
  zones_ = std::move(*found);
  for (const PowerZone& zone : zones_) {
    watches_.emplace_back(zone.energy_range_uj);
    if (zone.problem.empty()) {
      original_w_ += static_cast<double>(zone.most_uw()) / 1e6;
    } else {
      log_warn("{} is left alone: {}", zone.name, zone.problem);
    }
  }
  if (original_w_ <= 0) {
    return fail(ErrorCode::kUnsupported, "no package can be limited: {}", zones_.front().problem);
  }
  return {};
}

Status CapLoop::make_controller() {
  double reference_w = zones_.empty() ? original_w_ : 0;
  for (const PowerZone& zone : zones_) {
    if (zone.problem.empty()) {
      reference_w += static_cast<double>(zone.reference_uw().value_or(0)) / 1e6;
    }
  }
  const auto bound = [](const char* option, const std::string& text, double whole_w) {
    auto parsed = parse_power_bound(text, whole_w);
    return parsed ? parsed : tl::make_unexpected(with_context(parsed.error(), option));
  };
  PT_ASSIGN(range_.floor_w, bound("--floor", options_.floor, reference_w));
  PT_ASSIGN(range_.ceiling_w, bound("--ceiling", options_.ceiling, original_w_));
  if (range_.floor_w < kLowFloor * reference_w && !options_.i_know) {
    return fail(ErrorCode::kUsage,
                "--floor: {:g} W is below a fifth of the {:g} W that the packages are made for; a "
                "machine so slow may miss its own deadlines. Add --i-know if you mean it",
                range_.floor_w, reference_w);
  }
  ControllerConfig config;
  config.policy = options_.policy;
  config.range = range_;
  config.original_w = original_w_;
  config.limiter = options_.limiter;
  config.stale_after_s = options_.stale_after_s;
  PT_ASSIGN(controller_, Controller::create(config));
  return {};
}

double CapLoop::now_s() const {
  if (!options_.replay_from_s) {
    return seconds(realtime_ns());
  }
  // By ticks and not by the clock: on a busy machine a replay takes longer and comes out the same.
  return static_cast<double>(*options_.replay_from_s) +
         static_cast<double>(decisions_) * seconds(options_.tick_ns) * options_.speed;
}

Status CapLoop::tick() {
  const double now = now_s();
  const Series* series = input_ ? input_->get(static_cast<std::int64_t>(now)) : nullptr;
  const ControlStep step = controller_->step(now, series);
  if (last_phase_ && *last_phase_ != step.phase) {
    log_warn("{}: {}", cap_phase_name(step.phase), step.note.empty() ? "data again" : step.note);
  }
  PT_TRY(act(now, step));
  measure();
  const bool changed =
      last_phase_ != step.phase || std::abs(step.applied_w - last_applied_w_) >= 0.125;
  last_phase_ = step.phase;
  last_applied_w_ = step.applied_w;
  if (changed) {
    PT_TRY(print(now, step));
  }
  if (changed || !published_once_ || monotonic_ns() - published_ns_ >= kPublishEveryNs) {
    PT_TRY(publish(now, step, series));
  }
  ++decisions_;
  done_ = options_.count > 0 && decisions_ >= options_.count;
  return {};
}

Status CapLoop::act(double now, const ControlStep& step) {
  if (!actuator_) {
    return {};
  }
  if (step.phase == CapPhase::kReleased) {
    actuator_->restore("stale");
    return {};
  }
  PT_TRY(actuator_->apply(now, step.applied_w));
  if (!actuator_->any_usable()) {
    std::string reasons;
    for (const ZoneView& zone : actuator_->zones()) {
      reasons += fmt::format("{}{}: {}", reasons.empty() ? "" : "; ", zone.name, zone.reason);
    }
    return fail(ErrorCode::kUnsupported, "no package takes a limit any more: {}", reasons);
  }
  return {};
}

void CapLoop::measure() {
  for (std::size_t i = 0; i < zones_.size(); ++i) {
    const auto energy_uj = io_.read_number(zones_[i].dir + "/energy_uj");
    if (!energy_uj) {
      continue;
    }
    double limit_w = zones_[i].long_term ? static_cast<double>(zones_[i].most_uw()) / 1e6 : 0;
    if (actuator_) {
      for (const ZoneView& view : actuator_->zones()) {
        limit_w = view.name == zones_[i].name ? static_cast<double>(view.limit_uw) / 1e6 : limit_w;
      }
    }
    watches_[i].add(seconds(monotonic_ns()), *energy_uj, limit_w);
  }
}

bool CapLoop::capped() const {
  return actuator_ != nullptr && last_phase_ && *last_phase_ != CapPhase::kReleased &&
         last_applied_w_ < original_w_ - 1;
}

void CapLoop::add_snapshot(const Snapshot& snapshot) {
  effect_.add(sampler_.sample(snapshot), seconds(snapshot.end_ns - snapshot.start_ns), capped());
}

void CapLoop::restore(const std::string& trigger) {
  if (actuator_) {
    actuator_->restore(trigger);
  }
}

CapStatus CapLoop::final_status() {
  ControlStep step;
  step.phase = CapPhase::kReleased;
  step.applied_w = original_w_;
  step.note = "powertrace cap has ended";
  return status_of(now_s(), step, nullptr);
}

CapStatus CapLoop::status_of(double now, const ControlStep& step, const Series* series) {
  CapStatus status;
  status.mode = options_.enforce ? "enforce" : "observe";
  status.policy = policy_name(options_.policy.kind);
  status.phase = cap_phase_name(step.phase);
  // When it was said, also in a replay: by it others tell whether somebody still runs.
  status.time_s = static_cast<std::int64_t>(realtime_ns() / 1'000'000'000U);
  status.pid = ::getpid();
  status.original_w = original_w_;
  status.floor_w = range_.floor_w;
  status.ceiling_w = range_.ceiling_w;
  status.applied_w = step.applied_w;
  status.reason = step.note;
  if (step.decision) {
    status.decision_w = step.decision->watts;
    status.reason = step.decision->reason + (step.note.empty() ? "" : "; " + step.note);
  }
  if (series != nullptr) {
    status.area = series->info.area;
    status.unit = unit_of(series->info);
    status.quantity = quantity_name(series->info.quantity);
    status.source = series->info.source;
    status.data_age_s = now - static_cast<double>(series->info.fetched_at_s);
    status.data_until_s = series->slots.empty() ? 0 : series->slots.back().end_s;
    if (const Slot* slot = series->at(static_cast<std::int64_t>(now))) {
      status.value = slot->value;
      const std::string end = format_local(options_.policy.zone, slot->end_s).substr(11);
      status.period = format_local(options_.policy.zone, slot->start_s).substr(11) + "-" +
                      (end == "00:00" ? "24:00" : end);
    }
  }
  for (const PowerZone& zone : zones_) {
    const double found_w = zone.long_term ? static_cast<double>(zone.long_term->limit_uw) / 1e6 : 0;
    status.zones.push_back({zone.name, zone.problem.empty() ? "ok" : "refused", zone.problem,
                            found_w, found_w, std::nullopt, std::nullopt});
  }
  for (std::size_t i = 0; i < status.zones.size(); ++i) {
    CapZoneStatus& zone = status.zones[i];
    zone.measured_w = watches_[i].watts();
    zone.effective = watches_[i].effective();
    for (const ZoneView& view : actuator_ ? actuator_->zones() : std::vector<ZoneView>{}) {
      if (view.name == zone.name) {
        zone.health = zone_health_name(view.health);
        zone.reason = view.reason;
        zone.limit_w = static_cast<double>(view.limit_uw) / 1e6;
      }
    }
  }
  if (actuator_) {
    status.writes = actuator_->counts().writes;
    status.contention = actuator_->counts().contention;
    status.errors = actuator_->counts().errors;
    status.restores = actuator_->counts().restores;
  }
  status.effect = effect_.rows(kEffectRows);
  return status;
}

Status CapLoop::publish(double now, const ControlStep& step, const Series* series) {
  const CapStatus status = status_of(now, step, series);
  published_ns_ = monotonic_ns();
  published_once_ = true;
  if (handler_) {
    handler_(status);
  }
  if (status_writable_) {
    Status written = make_dirs(options_.state_dir);
    if (written) {
      written = write_file_atomic(state_dir_.status_path(), cap_status_json(status));
    }
    if (!written && options_.enforce) {
      return written;
    }
    if (!written) {
      log_warn("`cap status` will not work: {}", written.error().message);
      status_writable_ = false;
    }
  }
  return {};
}

Status CapLoop::print(double now, const ControlStep& step) {
  const std::string time = format_time(static_cast<std::int64_t>(now));
  std::string line;
  if (options_.json) {
    const auto number = [](const std::optional<double>& watts) {
      return watts ? fmt::format("{:.3f}", *watts) : std::string("null");
    };
    line = fmt::format(
        R"({{"time":"{}","phase":"{}","applied_watts":{:.3f},"target_watts":{},"decision_watts":{}}})",
        time, cap_phase_name(step.phase), step.applied_w, number(step.target_w),
        number(step.decision ? std::optional(step.decision->watts) : std::nullopt));
  } else {
    line = fmt::format("{}  {:<9}  {:>7.1f} W  {}", time, cap_phase_name(step.phase),
                       step.applied_w, step.decision ? step.decision->reason : step.note);
  }
  PT_ASSIGN(const Written written, write_stdout(line + "\n"));
  done_ = done_ || (written == Written::kReaderGone && !options_.enforce);
  return {};
}

}  // namespace powertrace
