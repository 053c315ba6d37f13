// SPDX-License-Identifier: Apache-2.0
//
// Writes a long recording at once, for record_bench.py: a machine with 200 busy tasks of which each
// window sees some.
//
// usage: make_recording FILE SECONDS TASKS_PER_WINDOW SAMPLES
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "unit/record/recording.hpp"

namespace {

using namespace powertrace;

constexpr std::uint32_t kTasks = 200;
constexpr std::uint64_t kWindowNs = 10'000'000;
constexpr std::size_t kStacks = 5000;
constexpr std::size_t kDepth = 24;

class PlainSink : public record::Sink {
 public:
  explicit PlainSink(std::FILE* file) : file_(file) {}
  Status write(std::string block) override {
    return std::fwrite(block.data(), 1, block.size(), file_) == block.size()
               ? Status()
               : fail(ErrorCode::kIo, "cannot write");
  }
  Status finish() override { return {}; }

 private:
  std::FILE* file_;
};

TaskUse make_use(std::uint32_t number, std::mt19937_64& random) {
  TaskUse use;
  use.tgid = 1000 + number;
  use.task = {use.tgid, 1'000'000ULL * use.tgid};
  use.cgroup_id = 1 + number % 10;
  std::snprintf(use.comm.data(), use.comm.size(), "worker-%u", number % 20);
  use.run_ns = 2'000'000 + random() % 1'000'000;
  use.switches = static_cast<std::uint32_t>(1 + random() % 3);
  return use;
}

// A call tree of a program's shape: what is near the root is shared.
record::Id make_stack(record::StackDictionary& stacks, std::size_t number) {
  const record::Id kernel = stacks.file({record::FileKind::kKernel, "[kernel]", "", 0});
  std::vector<record::Id> frames;
  for (std::size_t depth = kDepth; depth-- > 0;) {
    const std::size_t function = number % (1 + depth * depth * 10) + 10'000 * depth;
    frames.push_back(stacks.frame(kernel, 16 * function, fmt::format("function_{}", function)));
  }
  return stacks.stack(frames);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    return 2;
  }
  std::FILE* file = std::fopen(argv[1], "wb");
  if (file == nullptr) {
    return 1;
  }
  const std::uint64_t windows = std::strtoull(argv[2], nullptr, 10) * 1'000'000'000 / kWindowNs;
  const std::uint32_t per_window = static_cast<std::uint32_t>(std::strtoul(argv[3], nullptr, 10));
  const std::uint64_t samples = std::strtoull(argv[4], nullptr, 10);
  std::mt19937_64 random(1);
  test::FakeNames names;
  PlainSink sink(file);
  record::Meta meta = test::make_meta();
  meta.window_ns = kWindowNs;
  meta.sample_hz = samples > 0 ? 99 : 0;
  meta.model = Model::kTime;
  record::Writer writer(meta, names.names(), sink);
  bool good = writer.begin().has_value();
  Window window;
  window.end_ns = meta.start_ns;
  std::uint64_t sampled = 0;
  for (std::uint64_t i = 0; good && i < windows; ++i) {
    ++window.number;
    window.start_ns = window.end_ns;
    window.end_ns += kWindowNs;
    window.sockets.assign(2, {2 * kWindowNs, 0});
    window.zones.assign(2, {});
    for (ZoneDelta& zone : window.zones) {
      zone.status = ZoneStatus::kOk;
      zone.energy_nj = static_cast<std::int64_t>(300'000'000 + random() % 50'000'000);
      zone.duration_ns = kWindowNs;
    }
    window.tasks.clear();
    for (std::uint32_t task = 0; task < per_window; ++task) {
      window.tasks.push_back(
          make_use(static_cast<std::uint32_t>((i * per_window + task) % kTasks), random));
    }
    good = writer.add(window).has_value();
    for (; good && sampled < samples * (i + 1) / windows; ++sampled) {
      writer.add(record::Sample{window.end_ns - 5, window.number,
                                writer.ids()[sampled % per_window],
                                make_stack(writer.stacks(), random() % kStacks)});
    }
    good = good && writer.flush_if_due().has_value();
  }
  good = good && writer.finish().has_value();
  return std::fclose(file) == 0 && good ? 0 : 1;
}
