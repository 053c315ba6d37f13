// SPDX-License-Identifier: Apache-2.0
//
// What a recording holds, as writer and reader share it. Passive data.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/attribution.hpp"
#include "model/identity.hpp"
#include "model/snapshot.hpp"
#include "model/window.hpp"
#include "model/zone.hpp"

namespace powertrace::record {

// Ids are dense, from 0, in the order of definition; an epoch begins again at 0.
using Id = std::uint32_t;
constexpr Id kNoId = std::numeric_limits<Id>::max();

// The flags of a task in its row of the file.
constexpr std::uint64_t kKernelThread = 1;
constexpr std::uint64_t kSelected = 2;  // by the command line's choice, or its descendant

// What was recorded, where and how.
struct Meta {
  std::string program;  // "powertrace 0.2.0"
  std::string host;
  std::string kernel;
  std::vector<std::string> command;  // recorded with its descendants; empty: none
  std::string focus;                 // what was asked for, in words; empty: everything
  std::uint32_t self_pid = 0;
  std::uint32_t cpus = 1;  // possible
  std::uint32_t sockets = 1;
  std::uint64_t start_ns = 0;     // CLOCK_MONOTONIC
  std::uint64_t realtime_ns = 0;  // CLOCK_REALTIME at start_ns
  std::uint64_t window_ns = 0;    // nominal
  std::uint64_t flush_ns = 0;     // at most so much is lost if the recording is cut off
  SourceInfo source;
  Model model = Model::kTime;  // as it was attributed live
  IdlePolicy idle = IdlePolicy::kSeparate;
  bool counters_on = false;
  bool instructions_on = false;
  std::vector<Zone> zones;
  std::vector<std::optional<std::int64_t>> idle_mw;  // by zone, where it was known from the start
  std::uint32_t sample_hz = 0;                       // stack samples per second and CPU; 0: none
  std::string sample_event;                          // "cycles" or "cpu-clock"
  bool slices = false;
};

// A task as windows refer to it: whatever of this changes makes it another one.
struct TaskDef {
  TaskId task;
  std::uint32_t tgid = 0;
  std::int32_t socket = 0;
  std::uint64_t cgroup_id = 0;
  Comm comm{};
  bool kernel_thread = false;
  bool selected = true;  // of what was asked for
  Id process = kNoId;
  Id cgroup = kNoId;
};

// A stack sample of a task in one window.
struct Sample {
  std::uint64_t time_ns = 0;
  std::uint64_t window = 0;  // its number
  Id task = kNoId;
  Id stack = kNoId;
};

// What code was mapped from.
enum class FileKind : std::uint8_t {
  kFile,
  kKernel,    // offsets are addresses
  kAnonymous  // code without a file, as a JIT makes it: offsets are addresses in process `tgid`
};

struct CodeFile {
  FileKind kind = FileKind::kFile;
  std::string path;      // as the process saw it
  std::string build_id;  // raw bytes; empty: none
  std::uint32_t tgid = 0;
};

struct Frame {
  Id file = kNoId;
  std::uint64_t offset = 0;
};

// One task on one CPU without a break.
struct Slice {
  std::uint64_t start_ns = 0;
  std::uint64_t end_ns = 0;
  std::uint32_t cpu = 0;
  std::uint32_t pid = 0;
};

}  // namespace powertrace::record
