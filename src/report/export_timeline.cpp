// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "report/profile.hpp"
#include "report/timeline.hpp"

namespace powertrace::report {
namespace {

using Json = nlohmann::ordered_json;

double milliseconds(const Profile& profile, std::uint64_t time_ns) {
  return static_cast<double>(time_ns - profile.meta.start_ns) / 1e6;
}

// 1 J is 1e12 / 3600 pWh. The remainder goes on, so that the counts add up to all energy.
class PicowattHours {
 public:
  std::int64_t next(std::int64_t energy_nj) {
    sum_nj_ += energy_nj;
    const std::int64_t all = sum_nj_ / 18 * 5 + sum_nj_ % 18 * 5 / 18;
    const std::int64_t count = all - sum_;
    sum_ = all;
    return count;
  }

 private:
  std::int64_t sum_nj_ = 0;
  std::int64_t sum_ = 0;
};

template <typename EnergyAt>
Json counter(const Profile& profile,
             const Timeline& timeline,
             const std::string& name,
             const std::string& pid,
             std::size_t thread,
             const EnergyAt& energy_at) {
  Json times = Json::array({0.0});
  Json counts = Json::array({0});
  PicowattHours rounded;
  for (std::size_t step = 0; step < timeline.ends_ns.size(); ++step) {
    times.push_back(milliseconds(profile, timeline.ends_ns[step]));
    counts.push_back(rounded.next(energy_at(step)));
  }
  const std::size_t length = times.size();
  return {
      {"name", name},
      {"category", "power"},
      {"description", name + " energy"},
      {"pid", pid},
      {"mainThreadIndex", thread},
      {"samples", {{"time", std::move(times)}, {"count", std::move(counts)}, {"length", length}}}};
}

// The tables of one thread, filled with the stacks of the cells it is given.
class ThreadTables {
 public:
  explicit ThreadTables(std::map<std::string, std::size_t>& strings) : strings_(strings) {}

  void add(const Profile& profile, const StackEnergy& cell, double time_ms) {
    std::int64_t prefix = -1;
    for (const std::size_t function : profile.stacks[cell.stack]) {
      prefix = stack(prefix, frame(profile.functions[function].name));
    }
    add_sample(prefix, time_ms, cell.energy_nj);
  }
  void add_sample(std::int64_t stack, double time_ms, std::int64_t energy_nj) {
    samples_.push_back(stack < 0 ? Json(nullptr) : Json(stack));
    times_.push_back(time_ms);
    weights_.push_back(energy_nj / 1000);
  }

  Json json(const std::string& name, const std::string& pid, std::int64_t tid) const;

 private:
  std::size_t frame(const std::string& name) {
    const std::size_t string = strings_.try_emplace(name, strings_.size()).first->second;
    const auto [at, added] = frames_.try_emplace(string, names_.size());
    if (added) {
      names_.push_back(string);
    }
    return at->second;
  }
  std::int64_t stack(std::int64_t prefix, std::size_t frame) {
    const auto [at, added] = stacks_.try_emplace({prefix, frame}, stack_frames_.size());
    if (added) {
      stack_frames_.push_back(frame);
      prefixes_.push_back(prefix < 0 ? Json(nullptr) : Json(prefix));
    }
    return static_cast<std::int64_t>(at->second);
  }

  std::map<std::string, std::size_t>& strings_;
  std::map<std::size_t, std::size_t> frames_;
  std::vector<std::size_t> names_;
  std::map<std::pair<std::int64_t, std::size_t>, std::size_t> stacks_;
  std::vector<std::size_t> stack_frames_;
  Json prefixes_ = Json::array();
  Json samples_ = Json::array();
  Json times_ = Json::array();
  Json weights_ = Json::array();
};

Json ThreadTables::json(const std::string& name, const std::string& pid, std::int64_t tid) const {
  const std::size_t frames = names_.size();
  const auto column = [&](const Json& value) { return Json(std::vector<Json>(frames, value)); };
  std::vector<std::size_t> own(frames);
  for (std::size_t i = 0; i < frames; ++i) {
    own[i] = i;
  }
  const Json nothing = Json::array();
  return {
      {"processType", "default"},
      {"processStartupTime", 0},
      {"processShutdownTime", nullptr},
      {"registerTime", 0},
      {"unregisterTime", nullptr},
      {"pausedRanges", nothing},
      {"name", name},
      {"isMainThread", true},
      {"processName", name},
      {"pid", pid},
      {"tid", tid},
      {"samples",
       {{"stack", samples_},
        {"time", times_},
        {"weight", weights_},
        {"weightType", "samples"},
        {"length", samples_.size()}}},
      {"markers",
       {{"data", nothing},
        {"name", nothing},
        {"startTime", nothing},
        {"endTime", nothing},
        {"phase", nothing},
        {"category", nothing},
        {"length", 0}}},
      {"stackTable",
       {{"frame", stack_frames_}, {"prefix", prefixes_}, {"length", stack_frames_.size()}}},
      {"frameTable",
       {{"address", column(-1)},
        {"inlineDepth", column(0)},
        {"category", column(0)},
        {"subcategory", column(0)},
        {"func", own},
        {"nativeSymbol", column(nullptr)},
        {"innerWindowID", column(0)},
        {"line", column(nullptr)},
        {"column", column(nullptr)},
        {"length", frames}}},
      {"funcTable",
       {{"name", names_},
        {"isJS", column(false)},
        {"relevantForJS", column(false)},
        {"resource", column(-1)},
        {"fileName", column(nullptr)},
        {"lineNumber", column(nullptr)},
        {"columnNumber", column(nullptr)},
        {"length", frames}}},
      {"resourceTable",
       {{"lib", nothing}, {"name", nothing}, {"host", nothing}, {"type", nothing}, {"length", 0}}},
      {"nativeSymbols",
       {{"libIndex", nothing},
        {"address", nothing},
        {"name", nothing},
        {"functionSize", nothing},
        {"length", 0}}}};
}

Json firefox_meta(const Profile& profile) {
  return {
      {"interval", static_cast<double>(profile.meta.window_ns) / 1e6},
      {"startTime", static_cast<double>(profile.meta.realtime_ns) / 1e6},
      {"processType", 0},
      {"product", "powertrace (1 sample = 1 uJ)"},
      {"stackwalk", 1},
      {"version", 24},
      {"preprocessedProfileVersion", 57},
      {"debug", false},
      {"categories",
       Json::array(
           {{{"name", "Other"}, {"color", "grey"}, {"subcategories", Json::array({"Other"})}}})},
      {"markerSchema", Json::array()},
      {"symbolicated", true},
      {"abi", "x86_64"},
      {"platform", "Linux"},
      {"oscpu", profile.meta.kernel}};
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string process_name(const TimelineProcess& process) {
  return fmt::format("{} [{}]", process.process->identity->comm, process.pid);
}

}  // namespace

std::string firefox(const Profile& profile, const Timeline& timeline, std::size_t processes) {
  std::map<std::string, std::size_t> strings;
  Json counters = Json::array();
  Json threads = Json::array();
  ThreadTables system(strings);
  system.add_sample(-1, 0, 0);
  threads.push_back(system.json("System", "0", 0));
  for (std::size_t zone = 0; zone < timeline.zones.size(); ++zone) {
    counters.push_back(counter(profile, timeline, "Power: " + profile.meta.zones[zone].name, "0", 0,
                               [&](std::size_t step) { return timeline.zones[zone][step]; }));
  }
  for (const TimelineProcess* process : timeline.top(processes)) {
    const std::string name = process_name(*process);
    const std::string pid = std::to_string(process->pid);
    counters.push_back(
        counter(profile, timeline, "Power: " + name, pid, threads.size(), [&](std::size_t step) {
          const auto at = process->steps.find(step);
          return at == process->steps.end() ? 0 : at->second;
        }));
    ThreadTables tables(strings);
    // Cells have no time of their own: they are spread over the time in which the process ran.
    const double first = milliseconds(profile, timeline.ends_ns[process->steps.begin()->first]);
    const double last = milliseconds(profile, timeline.ends_ns[process->steps.rbegin()->first]);
    std::vector<const StackEnergy*> cells;
    for (const StackEnergy& cell : profile.cells) {
      if (profile.subjects[cell.subject].process->identity->task ==
          process->process->identity->task) {
        cells.push_back(&cell);
      }
    }
    for (std::size_t i = 0; i < cells.size(); ++i) {
      tables.add(
          profile, *cells[i],
          first + (last - first) * static_cast<double>(i) / static_cast<double>(cells.size()));
    }
    threads.push_back(tables.json(name, pid, process->pid));
  }
  std::vector<std::string> array(strings.size());
  for (const auto& [text, id] : strings) {
    array[id] = text;
  }
  return dump({{"meta", firefox_meta(profile)},
               {"libs", Json::array()},
               {"pages", Json::array()},
               {"shared", {{"stringArray", array}}},
               {"counters", std::move(counters)},
               {"threads", std::move(threads)}});
}

std::string chrome(const Profile& profile, const Timeline& timeline, std::size_t processes) {
  Json events = Json::array();
  const auto microseconds = [&](std::uint64_t time_ns) {
    return static_cast<double>(time_ns - profile.meta.start_ns) / 1e3;
  };
  const auto name_process = [&](std::uint32_t pid, const std::string& name) {
    events.push_back(
        {{"ph", "M"}, {"name", "process_name"}, {"pid", pid}, {"args", {{"name", name}}}});
  };
  const auto add_counter = [&](const std::string& name, std::uint32_t pid, const auto& energy_at) {
    std::uint64_t before_ns = profile.meta.start_ns;
    for (std::size_t step = 0; step < timeline.ends_ns.size(); ++step) {
      const std::uint64_t end_ns = timeline.ends_ns[step];
      const auto length = static_cast<double>(std::max<std::uint64_t>(end_ns - before_ns, 1));
      events.push_back({{"ph", "C"},
                        {"name", name},
                        {"pid", pid},
                        {"ts", microseconds(before_ns)},
                        {"args", {{"W", static_cast<double>(energy_at(step)) / length}}}});
      before_ns = end_ns;
    }
  };
  name_process(0, "System");
  for (std::size_t zone = 0; zone < timeline.zones.size(); ++zone) {
    add_counter(profile.meta.zones[zone].name + " W", 0,
                [&](std::size_t step) { return timeline.zones[zone][step]; });
  }
  for (const TimelineProcess* process : timeline.top(processes)) {
    name_process(process->pid, process_name(*process));
    add_counter("W", process->pid, [&](std::size_t step) {
      const auto at = process->steps.find(step);
      return at == process->steps.end() ? 0 : at->second;
    });
  }
  for (const record::Slice& slice : timeline.slices) {
    const auto name = timeline.thread_names.find(slice.pid);
    events.push_back(
        {{"ph", "X"},
         {"name", name != timeline.thread_names.end() ? name->second : std::to_string(slice.pid)},
         {"pid", 0},
         {"tid", slice.cpu},
         {"ts", microseconds(std::max(slice.start_ns, profile.meta.start_ns))},
         {"dur", static_cast<double>(slice.end_ns - slice.start_ns) / 1e3},
         {"args", {{"tid", slice.pid}}}});
  }
  return dump({{"traceEvents", std::move(events)}, {"displayTimeUnit", "ms"}});
}

}  // namespace powertrace::report
