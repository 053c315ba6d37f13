// SPDX-License-Identifier: Apache-2.0
//
// The one loop's body: tick -> window -> attribution -> ledger, and on demand a snapshot. Wires
// trace/, energy/, identity/ and model/ together and knows nothing of who reads the result. Loop
// thread only; the snapshots it hands out are immutable and may go anywhere.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/sysroot.hpp"
#include "energy/registry.hpp"
#include "identity/identity_cache.hpp"
#include "identity/name_sources.hpp"
#include "model/attribution.hpp"
#include "model/idle_power.hpp"
#include "model/ledger.hpp"
#include "model/snapshot.hpp"
#include "pipeline/self_cost.hpp"
#include "trace/tracer.hpp"

namespace powertrace {

struct PipelineConfig {
  SysRoot root;
  std::vector<std::string> sources;  // in order of preference
  SyntheticConfig synthetic;
  std::optional<Model> model;  // nullopt: cycles where there are counters, else time
  IdlePolicy idle = IdlePolicy::kSeparate;
  std::optional<std::int64_t> idle_milliwatts;  // per package zone; nullopt: learned
  TracerConfig trace;
  NamesConfig names;
};

class Pipeline {
 public:
  // What a window held before it was added to the ledger, for those who keep windows.
  using WindowObserver = std::function<void(const Window&, const Attribution&)>;
  using EventObserver = Tracer::EventHandler;

  static Result<std::unique_ptr<Pipeline>> open(const PipelineConfig& config);

  Status start();

  // Takes in what the kernel side reported so far. tick() does; call it earlier when the tracer's
  // events_fd() becomes readable, which means that the buffer fills faster than windows end.
  void drain_events();

  // Ends the open window and adds it to the ledger.
  void tick();

  // The interval since the last call (or start) as a snapshot; begins a new one.
  SnapshotPtr take_snapshot();

  // Begins a new interval without a snapshot of the last one, for those who keep windows.
  void forget_interval();

  // Length of the interval so far: of the windows since the last snapshot.
  [[nodiscard]] std::uint64_t interval_ns() const { return ledger_.end_ns() - ledger_.start_ns(); }

  // What watching has cost since start(), joules up to the last snapshot.
  [[nodiscard]] SelfCost total_cost() const;

  void observe_windows(WindowObserver observer) { window_observer_ = std::move(observer); }
  // Lifecycle events, after identity/ has seen them.
  void observe_events(EventObserver observer) { event_observer_ = std::move(observer); }

  [[nodiscard]] Tracer& tracer() { return tracer_; }
  [[nodiscard]] EnergySource& source() { return *choice_.source; }
  [[nodiscard]] IdentityCache& identities() { return identities_; }
  // Where pods get their names; null: nowhere.
  [[nodiscard]] const KubeNames* kube() const { return names_.kube.get(); }
  [[nodiscard]] const std::vector<SourceFinding>& source_findings() const {
    return choice_.findings;
  }
  [[nodiscard]] Model model() const { return attribution_.model; }
  [[nodiscard]] IdlePolicy idle_policy() const { return attribution_.idle; }
  // A zone's idle power where it was known from the start: given, or the source's; else learned.
  [[nodiscard]] std::optional<std::int64_t> given_idle_milliwatts(std::size_t zone) const;
  // Whether the idle power of any zone is known by now.
  [[nodiscard]] bool idle_known() const;

 private:
  Pipeline(const PipelineConfig& config, Tracer tracer, SourceChoice choice);

  AttributionConfig attribution_;
  std::optional<std::int64_t> idle_milliwatts_;
  SourceChoice choice_;
  NameSources names_;
  IdentityCache identities_;
  std::uint32_t self_pid_ = 0;
  Tracer tracer_;
  IdlePower idle_power_;
  Ledger ledger_;
  SelfMeter self_;        // of the interval
  SelfMeter total_self_;  // since start()
  std::int64_t total_self_nj_ = 0;
  Window window_;
  std::uint64_t sequence_ = 0;
  WindowObserver window_observer_;
  EventObserver event_observer_;
};

}  // namespace powertrace
