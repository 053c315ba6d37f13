// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>
#include <map>
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

// One thread: its samples and the tables that these refer to.
class ThreadTables {
 public:
  explicit ThreadTables(Strings& strings) : strings_(strings) {}

  void add(const Profile& profile,
           std::size_t stack,
           std::uint64_t time_ns,
           std::int64_t energy_nj) {
    const auto [known, added] = known_.try_emplace(stack, -1);
    if (added) {
      frames_.resize(profile.functions.size(), -1);
      for (const std::size_t function : profile.stacks[stack]) {
        known->second = node(known->second, frame(profile.functions[function], frames_[function]));
      }
    }
    add_sample(known->second, time_ns, energy_nj);
  }
  void add_sample(std::int64_t node, std::uint64_t time_ns, std::int64_t energy_nj) {
    if (node < 0) {
      samples_.add_null();
    } else {
      samples_.add(node);
    }
    times_.add_millionths(time_ns);
    weights_.add(rounded_.next(energy_nj));
  }

  [[nodiscard]] std::string json(const std::string& name,
                                 const std::string& pid,
                                 std::int64_t tid) const;

 private:
  std::int64_t frame(const Function& function, std::int64_t& known) {
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
  std::int64_t node(std::int64_t prefix, std::int64_t frame) {
    const auto key =
        static_cast<std::uint64_t>(prefix + 1) << 32U | static_cast<std::uint64_t>(frame);
    const auto [at, added] =
        nodes_.try_emplace(key, static_cast<std::int64_t>(node_frames_.size()));
    if (added) {
      node_frames_.add(frame);
      if (prefix < 0) {
        prefixes_.add_null();
      } else {
        prefixes_.add(prefix);
      }
    }
    return at->second;
  }

  Strings& strings_;
  std::unordered_map<std::size_t, std::int64_t> known_;  // nodes by the profile's stacks
  std::vector<std::int64_t> frames_;                     // by the profile's functions
  JsonColumn functions_, names_, categories_;
  std::unordered_map<std::uint64_t, std::int64_t> nodes_;  // by prefix and frame
  JsonColumn node_frames_, prefixes_;
  JsonColumn samples_, times_, weights_;
  WholeUnits rounded_ = WholeUnits::microjoules();
};

std::string ThreadTables::json(const std::string& name,
                               const std::string& pid,
                               std::int64_t tid) const {
  const std::size_t frames = names_.size();
  const auto all = [&](const char* value) {
    std::string text;
    for (std::size_t i = 0; i < frames; ++i) {
      text += (i == 0 ? "" : ",") + std::string(value);
    }
    return "[" + text + "]";
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

// The samples of all processes that have a thread, and what of their energy has none.
void add_samples(const Profile& profile,
                 const Timeline& timeline,
                 const std::map<TaskId, std::size_t>& thread_of,
                 std::vector<ThreadTables>& tables) {
  const auto find = [&](std::size_t subject) -> ThreadTables* {
    const auto at = thread_of.find(profile.subjects[subject].process->identity->task);
    return at == thread_of.end() ? nullptr : &tables[at->second];
  };
  std::vector<ThreadTables*> by_subject;
  for (std::size_t subject = 0; subject < profile.subjects.size(); ++subject) {
    by_subject.push_back(find(subject));
  }
  for (const TimedSample& sample : profile.samples) {
    const StackEnergy& cell = profile.cells[sample.cell];
    if (ThreadTables* table = by_subject[cell.subject]) {
      table->add(profile, cell.stack, since_start(profile, sample.time_ns), sample.energy_nj);
    }
  }
  for (const StackEnergy& cell : profile.cells) {
    if (ThreadTables* table = by_subject[cell.subject];
        table != nullptr && cell.samples == 0 && cell.energy_nj > 0) {
      table->add(profile, cell.stack, since_start(profile, timeline.ends_ns.back()),
                 cell.energy_nj);
    }
  }
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
  std::map<TaskId, std::size_t> thread_of;
  std::vector<ThreadTables> tables(top.size() + 1, ThreadTables(strings));
  tables.front().add_sample(-1, 0, 0);
  for (std::size_t i = 0; i < top.size(); ++i) {
    thread_of.emplace(top[i]->process->identity->task, i + 1);
    counters += (counters.empty() ? "" : ",") +
                counter(profile, timeline, "Power: " + top[i]->name(), std::to_string(top[i]->pid),
                        i + 1, top[i]->energies(timeline.ends_ns.size()));
  }
  add_samples(profile, timeline, thread_of, tables);
  std::string threads = tables.front().json("System", "0", 0);
  for (std::size_t i = 0; i < top.size(); ++i) {
    threads += "," + tables[i + 1].json(top[i]->name(), std::to_string(top[i]->pid), top[i]->pid);
  }
  return fmt::format(
             R"({{"meta":{},"libs":[],"pages":[],"shared":{{"stringArray":{}}},"counters":[{}],)"
             R"("threads":[{}]}})",
             meta_json(profile), strings.text(), counters, threads) +
         "\n";
}

}  // namespace powertrace::report
