// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>
#include <map>

#include <fmt/format.h>

#include "report/json_text.hpp"
#include "report/profile.hpp"
#include "report/timeline.hpp"

namespace powertrace::report {
namespace {

class Events {
 public:
  explicit Events(std::uint64_t start_ns) : start_ns_(start_ns) {}

  [[nodiscard]] double microseconds(std::uint64_t time_ns) const {
    return time_ns > start_ns_ ? static_cast<double>(time_ns - start_ns_) / 1e3 : 0;
  }
  template <typename... Args>
  void add(fmt::format_string<const Args&...> format, const Args&... args) {
    text_ += text_.empty() ? "{\"traceEvents\":[" : ",\n";
    fmt::format_to(std::back_inserter(text_), format, args...);
  }
  void name(const char* what, std::uint32_t pid, std::uint32_t tid, const std::string& name) {
    add(R"({{"ph":"M","name":"{}","pid":{},"tid":{},"args":{{"name":{}}}}})", what, pid, tid,
        json_string(name));
  }
  std::string take() { return std::move(text_) + "],\"displayTimeUnit\":\"ms\"}\n"; }

 private:
  std::uint64_t start_ns_;
  std::string text_;
};

template <typename EnergyAt>
void add_counter(Events& events,
                 const Timeline& timeline,
                 const std::string& name,
                 std::uint32_t pid,
                 const EnergyAt& energy_at) {
  const std::string quoted = json_string(name);
  std::uint64_t before_ns = timeline.start_ns;
  for (std::size_t step = 0; step < timeline.ends_ns.size(); ++step) {
    const std::uint64_t end_ns = timeline.ends_ns[step];
    const auto length = static_cast<double>(std::max<std::uint64_t>(end_ns - before_ns, 1));
    events.add(R"({{"ph":"C","name":{},"pid":{},"ts":{:.3f},"args":{{"W":{:.6f}}}}})", quoted, pid,
               events.microseconds(before_ns), static_cast<double>(energy_at(step)) / length);
    before_ns = end_ns;
  }
}

// Slices are on their CPUs' tracks, below all processes.
void add_slices(Events& events, const Timeline& timeline) {
  std::map<std::uint32_t, std::string> names;  // by tid, quoted
  std::uint32_t cpus = 0;
  for (const record::Slice& slice : timeline.slices) {
    const auto [quoted, added] = names.try_emplace(slice.pid);
    if (added) {
      const auto name = timeline.thread_names.find(slice.pid);
      quoted->second = json_string(name != timeline.thread_names.end() ? name->second
                                                                       : std::to_string(slice.pid));
    }
    const double begin = events.microseconds(slice.start_ns);
    events.add(
        R"({{"ph":"X","name":{},"pid":0,"tid":{},"ts":{:.3f},"dur":{:.3f},"args":{{"tid":{}}}}})",
        quoted->second, slice.cpu + 1, begin, events.microseconds(slice.end_ns) - begin, slice.pid);
    cpus = std::max(cpus, slice.cpu + 1);
  }
  for (std::uint32_t cpu = 0; cpu < cpus; ++cpu) {
    events.name("thread_name", 0, cpu + 1, fmt::format("CPU {}", cpu));
  }
}

}  // namespace

std::string chrome(const Profile& profile, const Timeline& timeline, std::size_t processes) {
  Events events(profile.meta.start_ns);
  events.name("process_name", 0, 0, "System");
  for (std::size_t zone = 0; zone < timeline.zones.size(); ++zone) {
    add_counter(events, timeline, profile.meta.zones[zone].name + " W", 0,
                [&](std::size_t step) { return timeline.zones[zone][step]; });
  }
  for (const TimelineProcess* process : timeline.top(processes)) {
    events.name("process_name", process->pid, process->pid, process->name());
    add_counter(events, timeline, "W", process->pid,
                [&](std::size_t step) { return process->energy_at(step); });
  }
  add_slices(events, timeline);
  return events.take();
}

}  // namespace powertrace::report
