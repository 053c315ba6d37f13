// SPDX-License-Identifier: Apache-2.0
//
// Records what a pipeline sees: into one file, or into a ring of files. Loop thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "pipeline/pipeline.hpp"
#include "record/code_map.hpp"
#include "record/content.hpp"
#include "record/focus.hpp"
#include "record/sink.hpp"
#include "record/writer.hpp"
#include "trace/stack_sampler.hpp"

namespace powertrace::record {

struct RecorderConfig {
  SysRoot root;
  std::string output;  // "-": standard output
  std::string program;
  std::vector<std::string> command;
  std::uint64_t window_ns = 100'000'000;
  std::uint64_t flush_ns = 1'000'000'000;
  SamplerConfig sampling;
  std::uint64_t max_bytes = 0;  // of one file; 0: no limit
  std::uint32_t files = 1;      // more: a ring; FILE is the current one, FILE.1 the one before
};

struct Progress {
  std::uint64_t start_ns = 0;  // of the first window, CLOCK_MONOTONIC
  std::uint64_t end_ns = 0;
  std::uint64_t windows = 0;
  std::uint64_t bytes = 0;  // of all files
  std::uint64_t files = 1;
  std::int64_t energy_nj = 0;  // in_total zones
  std::uint64_t samples = 0;
  std::uint64_t samples_lost = 0;
};

class Recorder {
 public:
  // Creates the file and observes the pipeline, which must be open and outlive the recorder.
  static Result<std::unique_ptr<Recorder>> open(Pipeline& pipeline, const RecorderConfig& config);

  // From the next window on.
  void begin(Focus focus);
  // Readable when drain() should be called before the next window; -1: never.
  [[nodiscard]] int samples_fd() const { return sampler_ ? sampler_->fd() : -1; }
  // Takes in samples while their processes live.
  void drain();
  // Ends the file properly.
  Status finish();

  // What went wrong so far: recording cannot go on.
  [[nodiscard]] const Status& failure() const { return failure_; }
  // The size limit is reached, or nobody reads the pipe any more.
  [[nodiscard]] bool full() const { return full_; }
  [[nodiscard]] const Progress& progress() const { return progress_; }

 private:
  Recorder(Pipeline& pipeline, RecorderConfig config)
      : pipeline_(pipeline), config_(std::move(config)) {}

  Status open_file();
  Status begin_file();
  Status rotate();
  Status add(const Window& window);
  Names names();
  Status open_sampler();
  void take(const pt_sample& sample);
  void take(const pt_slice_edge& edge);
  void write_samples(const Window& window);

  // A sample that waits for its window to end.
  struct Waiting {
    std::uint64_t time_ns = 0;
    TaskId task;
    Id stack = kNoId;
  };

  Pipeline& pipeline_;
  RecorderConfig config_;
  Focus focus_ = Focus::everything();
  bool begun_ = false;
  bool full_ = false;
  std::unique_ptr<FileSink> sink_;
  std::unique_ptr<Writer> writer_;
  std::optional<StackSampler> sampler_;
  std::optional<CodeMap> code_;
  std::uint32_t code_epoch_ = 0;
  std::vector<Waiting> waiting_;
  std::vector<std::uint64_t> running_since_ns_;  // by CPU; 0: not known
  Progress progress_;
  std::uint64_t earlier_bytes_ = 0;  // of the files before this one
  Status failure_;
};

}  // namespace powertrace::record
