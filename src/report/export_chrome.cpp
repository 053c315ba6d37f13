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

  [[nodiscard]] std::uint64_t since_start(std::uint64_t time_ns) const {
    return std::max(time_ns, start_ns_) - start_ns_;
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

void add_counter(Events& events,
                 const Timeline& timeline,
                 const std::string& name,
                 std::uint32_t pid,
                 const std::vector<std::int64_t>& energies) {
  const std::string quoted = json_string(name);
  std::uint64_t before_ns = timeline.start_ns;
  for (std::size_t step = 0; step < timeline.ends_ns.size(); ++step) {
    const std::uint64_t end_ns = timeline.ends_ns[step];
    const std::uint64_t begin_ns = events.since_start(before_ns);
    const std::uint64_t length_ns = std::max<std::uint64_t>(end_ns - before_ns, 1);
    const std::uint64_t milliwatts = static_cast<std::uint64_t>(energies[step]) * 1000 / length_ns;
    events.add(R"({{"ph":"C","name":{},"pid":{},"ts":{}.{:03},"args":{{"W":{}.{:03}}}}})", quoted,
               pid, begin_ns / 1000, begin_ns % 1000, milliwatts / 1000, milliwatts % 1000);
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
    const std::uint64_t begin_ns = events.since_start(slice.start_ns);
    const std::uint64_t length_ns = events.since_start(slice.end_ns) - begin_ns;
    events.add(
        R"({{"ph":"X","name":{},"pid":0,"tid":{},"ts":{}.{:03},"dur":{}.{:03},"args":{{"tid":{}}}}})",
        quoted->second, slice.cpu + 1, begin_ns / 1000, begin_ns % 1000, length_ns / 1000,
        length_ns % 1000, slice.pid);
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
    add_counter(events, timeline, profile.meta.zones[zone].name + " W", 0, timeline.zones[zone]);
  }
  for (const TimelineProcess* process : timeline.top(processes)) {
    events.name("process_name", process->pid, process->pid, process->name());
    add_counter(events, timeline, "W", process->pid, process->energies(timeline.ends_ns.size()));
  }
  add_slices(events, timeline);
  return events.take();
}

}  // namespace powertrace::report
