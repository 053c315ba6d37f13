// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "report/json_text.hpp"
#include "report/profile.hpp"
#include "report/timeline.hpp"
#include "report/whole_units.hpp"

namespace powertrace::report {
namespace {

enum Category : std::int64_t { kOther, kUser, kKernel };
constexpr const char* kCategories =
    R"([{"name":"Other","color":"grey","subcategories":["Other"]},)"
    R"({"name":"User","color":"yellow","subcategories":["Other"]},)"
    R"({"name":"Kernel","color":"orange","subcategories":["Other"]}])";

std::uint64_t since_start(const Profile& profile, std::uint64_t time_ns) {
  return std::max(time_ns, profile.meta.start_ns) - profile.meta.start_ns;
}

// All threads share the names.
class Strings {
 public:
  std::size_t id(const std::string& text) {
    const auto [at, added] = ids_.try_emplace(text, column_.size());
    if (added) {
      column_.add_string(text);
    }
    return at->second;
  }
  [[nodiscard]] std::string text() const { return column_.text(); }

 private:
  std::unordered_map<std::string, std::size_t> ids_;
  JsonColumn column_;
};

std::string counter(const Profile& profile,
                    const Timeline& timeline,
                    const std::string& name,
                    const std::string& pid,
                    std::size_t thread,
                    const std::vector<std::int64_t>& energies) {
  JsonColumn times;
  JsonColumn counts;
  times.add_millionths(since_start(profile, timeline.start_ns));
  counts.add(0);
  WholeUnits rounded = WholeUnits::picowatt_hours();
  for (std::size_t step = 0; step < timeline.ends_ns.size(); ++step) {
    times.add_millionths(since_start(profile, timeline.ends_ns[step]));
    counts.add(rounded.next(energies[step]));
  }
  return fmt::format(
      R"({{"name":{},"category":"power","description":{},"pid":"{}","mainThreadIndex":{},)"
      R"("samples":{{"time":{},"count":{},"length":{}}}}})",
      json_string(name), json_string(name + " energy"), pid, thread, times.text(), counts.text(),
      times.size());
}

constexpr std::size_t kNoStack = static_cast<std::size_t>(-1);

struct ThreadSample {
  std::size_t stack = kNoStack;
  std::uint64_t time_ns = 0;
  std::int64_t energy_nj = 0;
};

// Where each of the profile's stacks is when they are sorted: then those that begin alike are
// neighbours.
std::vector<std::uint32_t> stack_ranks(const Profile& profile) {
  std::vector<std::uint32_t> order(profile.stacks.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return profile.stacks[a] < profile.stacks[b];
  });
  std::vector<std::uint32_t> ranks(order.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    ranks[order[i]] = i;
  }
  return ranks;
}

// One thread: its samples and the tables that these refer to.
class ThreadTables {
 public:
  ThreadTables(const Profile& profile,
               const std::vector<std::uint32_t>& ranks,
               const std::vector<ThreadSample>& samples,
               Strings& strings)
      : strings_(strings) {
    const std::vector<std::int64_t> nodes = add_stacks(profile, ranks, samples);
    WholeUnits rounded = WholeUnits::microjoules();
    for (const ThreadSample& sample : samples) {
      add_node(samples_, sample.stack == kNoStack ? -1 : nodes[sample.stack]);
      times_.add_millionths(sample.time_ns);
      weights_.add(rounded.next(sample.energy_nj));
    }
  }

  [[nodiscard]] std::string json(const std::string& name,
                                 const std::string& pid,
                                 std::int64_t tid) const;

 private:
  static void add_node(JsonColumn& column, std::int64_t node) {
    if (node < 0) {
      column.add_null();
    } else {
      column.add(node);
    }
  }
  std::int64_t frame(const Function& function, std::int64_t& known);
  // The node of each of the profile's stacks; -1: it has no frames, or no sample.
  std::vector<std::int64_t> add_stacks(const Profile& profile,
                                       const std::vector<std::uint32_t>& ranks,
                                       const std::vector<ThreadSample>& samples);

  Strings& strings_;
  JsonColumn functions_, names_, categories_;
  JsonColumn node_frames_, prefixes_;
  JsonColumn samples_, times_, weights_;
};

std::int64_t ThreadTables::frame(const Function& function, std::int64_t& known) {
  if (known < 0) {
    known = static_cast<std::int64_t>(names_.size());
    functions_.add(known);
    names_.add(static_cast<std::int64_t>(strings_.id(function.name)));
    categories_.add(function.module == "[kernel]" ? kKernel
                    : function.module.empty()     ? kOther
                                                  : kUser);
  }
  return known;
}

std::vector<std::int64_t> ThreadTables::add_stacks(const Profile& profile,
                                                   const std::vector<std::uint32_t>& ranks,
                                                   const std::vector<ThreadSample>& samples) {
  std::vector<std::int64_t> nodes(profile.stacks.size(), -1);
  std::vector<bool> seen(profile.stacks.size());
  std::vector<std::size_t> stacks;
  for (const ThreadSample& sample : samples) {
    if (sample.stack != kNoStack && !seen[sample.stack]) {
      seen[sample.stack] = true;
      stacks.push_back(sample.stack);
    }
  }
  std::sort(stacks.begin(), stacks.end(),
            [&](std::size_t a, std::size_t b) { return ranks[a] < ranks[b]; });
  std::vector<std::int64_t> frames(profile.functions.size(), -1);  // by the profile's functions
  std::vector<std::size_t> before;
  std::vector<std::int64_t> path;  // nodes of `before`
  for (const std::size_t number : stacks) {
    const std::vector<std::size_t>& stack = profile.stacks[number];
    const auto shared = std::mismatch(before.begin(), before.end(), stack.begin(), stack.end());
    path.resize(static_cast<std::size_t>(shared.first - before.begin()));
    for (auto function = shared.second; function != stack.end(); ++function) {
      add_node(prefixes_, path.empty() ? -1 : path.back());
      path.push_back(static_cast<std::int64_t>(node_frames_.size()));
      node_frames_.add(frame(profile.functions[*function], frames[*function]));
    }
    before = stack;
    nodes[number] = path.empty() ? -1 : path.back();
  }
  return nodes;
}

std::string ThreadTables::json(const std::string& name,
                               const std::string& pid,
                               std::int64_t tid) const {
  const std::size_t frames = names_.size();
  const auto all = [&](std::string_view value) {
    std::string text = "[";
    for (std::size_t i = 0; i < frames; ++i) {
      text += i == 0 ? "" : ",";
      text += value;
    }
    return text + "]";
  };
  std::string out = fmt::format(
      R"({{"processType":"default","processStartupTime":0,"processShutdownTime":null,)"
      R"("registerTime":0,"unregisterTime":null,"pausedRanges":[],"name":{0},"isMainThread":true,)"
      R"("processName":{0},"pid":"{1}","tid":{2},)",
      json_string(name), pid, tid);
  out += fmt::format(
      R"("samples":{{"stack":{},"time":{},"weight":{},"weightType":"samples","length":{}}},)",
      samples_.text(), times_.text(), weights_.text(), samples_.size());
  out += R"("markers":{"data":[],"name":[],"startTime":[],"endTime":[],"phase":[],"category":[],)"
         R"("length":0},)";
  out += fmt::format(R"("stackTable":{{"frame":{},"prefix":{},"length":{}}},)", node_frames_.text(),
                     prefixes_.text(), node_frames_.size());
  out += fmt::format(
      R"("frameTable":{{"address":{},"inlineDepth":{},"category":{},"subcategory":{},"func":{},)"
      R"("nativeSymbol":{},"innerWindowID":{},"line":{},"column":{},"length":{}}},)",
      all("-1"), all("0"), categories_.text(), all("0"), functions_.text(), all("null"), all("0"),
      all("null"), all("null"), frames);
  out += fmt::format(
      R"("funcTable":{{"name":{},"isJS":{},"relevantForJS":{},"resource":{},"fileName":{},)"
      R"("lineNumber":{},"columnNumber":{},"length":{}}},)",
      names_.text(), all("false"), all("false"), all("-1"), all("null"), all("null"), all("null"),
      frames);
  return out +
         R"("resourceTable":{"lib":[],"name":[],"host":[],"type":[],"length":0},)"
         R"("nativeSymbols":{"libIndex":[],"address":[],"name":[],"functionSize":[],"length":0}})";
}

std::string meta_json(const Profile& profile) {
  return fmt::format(
      R"({{"interval":{:.6f},"startTime":{:.6f},"processType":0,)"
      R"json("product":"powertrace (1 sample = 1 uJ)","stackwalk":1,"version":24,)json"
      R"("preprocessedProfileVersion":57,"debug":false,"categories":{},"markerSchema":[],)"
      R"("symbolicated":true,"abi":"x86_64","platform":"Linux","oscpu":{}}})",
      static_cast<double>(profile.meta.window_ns) / 1e6,
      static_cast<double>(profile.meta.realtime_ns) / 1e6, kCategories,
      json_string(profile.meta.kernel));
}

// By thread: the samples of its process, and what of its energy has none.
std::vector<std::vector<ThreadSample>> samples_by_thread(
    const Profile& profile,
    const Timeline& timeline,
    const std::vector<const TimelineProcess*>& threads) {
  std::map<TaskId, std::size_t> thread_of;
  for (std::size_t thread = 0; thread < threads.size(); ++thread) {
    thread_of.emplace(threads[thread]->process->identity->task, thread);
  }
  std::vector<std::vector<ThreadSample>> samples(threads.size());
  std::vector<std::vector<ThreadSample>*> by_subject;
  for (const Subject& subject : profile.subjects) {
    const auto at = thread_of.find(subject.process->identity->task);
    by_subject.push_back(at == thread_of.end() ? nullptr : &samples[at->second]);
  }
  for (const TimedSample& sample : profile.samples) {
    const StackEnergy& cell = profile.cells[sample.cell];
    if (auto* thread = by_subject[cell.subject]) {
      thread->push_back({cell.stack, since_start(profile, sample.time_ns), sample.energy_nj});
    }
  }
  for (const StackEnergy& cell : profile.cells) {
    if (auto* thread = by_subject[cell.subject];
        thread != nullptr && cell.samples == 0 && cell.energy_nj > 0) {
      thread->push_back(
          {cell.stack, since_start(profile, timeline.ends_ns.back()), cell.energy_nj});
    }
  }
  return samples;
}

}  // namespace

std::string firefox(const Profile& profile, const Timeline& timeline, std::size_t processes) {
  Strings strings;
  std::string counters;
  for (std::size_t zone = 0; zone < timeline.zones.size(); ++zone) {
    counters += (counters.empty() ? "" : ",") + counter(profile, timeline,
                                                        "Power: " + profile.meta.zones[zone].name,
                                                        "0", 0, timeline.zones[zone]);
  }
  const std::vector<const TimelineProcess*> top = timeline.top(processes);
  const auto samples = samples_by_thread(profile, timeline, top);
  const std::vector<std::uint32_t> ranks = stack_ranks(profile);
  std::string threads =
      ThreadTables(profile, ranks, {ThreadSample()}, strings).json("System", "0", 0);
  for (std::size_t i = 0; i < top.size(); ++i) {
    const std::string pid = std::to_string(top[i]->pid);
    counters +=
        (counters.empty() ? "" : ",") + counter(profile, timeline, "Power: " + top[i]->name(), pid,
                                                i + 1, top[i]->energies(timeline.ends_ns.size()));
    threads +=
        "," +
        ThreadTables(profile, ranks, samples[i], strings).json(top[i]->name(), pid, top[i]->pid);
  }
  return fmt::format(
             R"({{"meta":{},"libs":[],"pages":[],"shared":{{"stringArray":{}}},"counters":[{}],)"
             R"("threads":[{}]}})",
             meta_json(profile), strings.text(), counters, threads) +
         "\n";
}

}  // namespace powertrace::report
