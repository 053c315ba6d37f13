// SPDX-License-Identifier: Apache-2.0
#include "record/recorder.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <sys/utsname.h>
#include <unordered_map>
#include <utility>

#include <unistd.h>

#include "base/clock.hpp"

namespace powertrace::record {

Result<std::unique_ptr<Recorder>> Recorder::open(Pipeline& pipeline, const RecorderConfig& config) {
  std::unique_ptr<Recorder> recorder(new Recorder(pipeline, config));
  PT_TRY(recorder->open_sampler());
  PT_TRY(recorder->open_file());
  Recorder* self = recorder.get();
  pipeline.observe_events(
      [self](const pt_event& event, std::size_t size) { self->focus_.on_event(event, size); });
  pipeline.observe_windows([self](const Window& window, const Attribution&) {
    if (self->begun_ && self->failure_ && !self->full_) {
      self->failure_ = self->add(window);
    }
    self->focus_.end_window();
  });
  return recorder;
}

Status Recorder::open_sampler() {
  if (config_.sampling.hz == 0 && !config_.sampling.slices) {
    return {};
  }
  PT_ASSIGN(StackSampler sampler,
            StackSampler::open(config_.sampling, pipeline_.tracer().topology().online));
  sampler_.emplace(std::move(sampler));
  code_.emplace(config_.root);
  running_since_ns_.resize(static_cast<std::size_t>(pipeline_.tracer().topology().possible));
  return {};
}

void Recorder::drain() {
  if (sampler_ && begun_ && failure_) {
    sampler_->drain({[this](const pt_sample& sample) { take(sample); },
                     [this](const pt_slice_edge& edge) { take(edge); }});
    progress_.samples_lost = sampler_->lost();
  }
}

// What is not of the focus is one row: its samples would say nothing.
void Recorder::take(const pt_sample& sample) {
  if (!focus_.may_include(sample.tgid)) {
    return;
  }
  if (code_epoch_ != writer_->epoch()) {
    code_epoch_ = writer_->epoch();
    code_->forget_ids();
  }
  waiting_.push_back({sample.head.time,
                      {sample.pid, sample.start_boottime},
                      code_->stack(sample, writer_->stacks())});
}

void Recorder::take(const pt_slice_edge& edge) {
  if (edge.head.cpu >= running_since_ns_.size()) {
    return;
  }
  std::uint64_t& since_ns = running_since_ns_[edge.head.cpu];
  if (since_ns != 0 && edge.prev_pid != 0 && edge.head.time > since_ns) {
    writer_->add(Slice{since_ns, edge.head.time, edge.head.cpu, edge.prev_pid});
  }
  since_ns = edge.head.time;
}

// Samples of tasks that are in the window; of later ones, the next window will know.
void Recorder::write_samples(const Window& window) {
  std::unordered_map<TaskId, Id> ids;
  IdentityCache& cache = pipeline_.identities();
  for (std::size_t i = 0; !waiting_.empty() && i < window.tasks.size(); ++i) {
    const TaskUse& use = window.tasks[i];
    if (focus_.is_everything() || focus_.includes(use, *cache.cgroup(use.cgroup_id, use.tgid))) {
      ids[use.task] = writer_->ids()[i];
    }
  }
  std::sort(waiting_.begin(), waiting_.end(),
            [](const Waiting& a, const Waiting& b) { return a.time_ns < b.time_ns; });
  std::erase_if(waiting_, [&](const Waiting& sample) {
    const auto task = ids.find(sample.task);
    if (task != ids.end() && sample.time_ns <= window.end_ns) {
      writer_->add(Sample{sample.time_ns, window.number, task->second, sample.stack});
      ++progress_.samples;
      return true;
    }
    return sample.time_ns <= window.start_ns;
  });
}

Status Recorder::open_file() {
  PT_ASSIGN(sink_, FileSink::open(config_.output));
  return {};
}

Names Recorder::names() {
  IdentityCache& cache = pipeline_.identities();
  return {[&cache](const TaskUse& use) { return cache.process(use); },
          [&cache](const TaskUse& use) { return cache.cgroup(use.cgroup_id, use.tgid); },
          [&cache](const ProcessIdentity& process) { return cache.terminated(process); },
          [this, &cache](const TaskUse& use) {
            return focus_.includes(use, *cache.cgroup(use.cgroup_id, use.tgid));
          }};
}

Status Recorder::begin_file() {
  Meta meta;
  utsname system{};
  ::uname(&system);
  meta.program = config_.program;
  meta.host = system.nodename;
  meta.kernel = fmt::format("{} {} {}", system.sysname, system.release, system.machine);
  meta.command = config_.command;
  meta.focus = focus_.describe();
  meta.self_pid = static_cast<std::uint32_t>(::getpid());
  meta.cpus = static_cast<std::uint32_t>(pipeline_.tracer().topology().possible);
  meta.sockets = static_cast<std::uint32_t>(pipeline_.tracer().topology().sockets());
  meta.start_ns = monotonic_ns();
  meta.realtime_ns = realtime_ns();
  meta.window_ns = config_.window_ns;
  meta.flush_ns = config_.flush_ns;
  meta.source = pipeline_.source().info();
  meta.model = pipeline_.model();
  meta.idle = pipeline_.idle_policy();
  meta.counters_on = pipeline_.tracer().counters_on();
  meta.instructions_on = pipeline_.tracer().counter_support().events.size() > 1;
  meta.sample_hz = config_.sampling.hz;
  meta.sample_event = sampler_ ? sampler_->event() : "";
  meta.slices = config_.sampling.slices;
  meta.zones.assign(pipeline_.source().zones().begin(), pipeline_.source().zones().end());
  for (std::size_t zone = 0; zone < meta.zones.size(); ++zone) {
    meta.idle_mw.push_back(pipeline_.given_idle_milliwatts(zone));
  }
  writer_ = std::make_unique<Writer>(std::move(meta), names(), *sink_);
  return writer_->begin();
}

void Recorder::begin(Focus focus) {
  focus_ = std::move(focus);
  begun_ = true;
  failure_ = begin_file();
  if (failure_ && sampler_) {
    failure_ = sampler_->start();
  }
}

Status Recorder::add(const Window& window) {
  writer_->set_costs(pipeline_.total_cost());
  if (sampler_) {
    drain();
  }
  PT_TRY(writer_->add(window));
  write_samples(window);
  PT_TRY(writer_->flush_if_due());
  if (progress_.windows++ == 0) {
    progress_.start_ns = window.start_ns;
  }
  progress_.end_ns = window.end_ns;
  progress_.bytes = earlier_bytes_ + writer_->bytes();
  for (std::size_t zone = 0; zone < window.zones.size(); ++zone) {
    const bool counts = pipeline_.source().zones()[zone].in_total;
    progress_.energy_nj += counts ? usable_energy_nj(window.zones[zone]) : 0;
  }
  full_ = sink_->reader_gone();
  if (config_.max_bytes > 0 && writer_->bytes() >= config_.max_bytes) {
    if (config_.files == 1) {
      full_ = true;
    } else {
      return rotate();
    }
  }
  return {};
}

Status Recorder::rotate() {
  PT_TRY(writer_->finish());
  PT_TRY(sink_->finish());
  progress_.bytes = earlier_bytes_ += writer_->bytes();
  ++progress_.files;
  const auto name = [&](std::uint32_t age) {
    return age == 0 ? config_.output : fmt::format("{}.{}", config_.output, age);
  };
  for (std::uint32_t age = config_.files - 1; age > 0; --age) {
    // The oldest is written over.
    if (std::rename(name(age - 1).c_str(), name(age).c_str()) != 0 && errno != ENOENT) {
      return fail_errno(errno, "--rotate: cannot rename {} to {}", name(age - 1), name(age));
    }
  }
  PT_TRY(open_file());
  return begin_file();
}

Status Recorder::finish() {
  if (writer_ && failure_) {
    failure_ = writer_->finish();
    progress_.bytes = earlier_bytes_ + writer_->bytes();
  }
  const Status out = sink_->finish();
  return failure_ ? out : failure_;
}

}  // namespace powertrace::record
