// SPDX-License-Identifier: Apache-2.0
#include <map>

#include <protozero/pbf_writer.hpp>
#include <zlib.h>

#include "report/export.hpp"
#include "report/whole_units.hpp"

namespace powertrace::report {
namespace {

// Numbers of the fields of profile.proto.
enum ProfileField : protozero::pbf_tag_type {
  kSampleType = 1,
  kSample = 2,
  kLocation = 4,
  kFunction = 5,
  kStringTable = 6,
  kTimeNanos = 9,
  kDurationNanos = 10,
  kPeriodType = 11,
  kPeriod = 12,
  kDefaultSampleType = 14,
};

class StringTable {
 public:
  StringTable() { id(""); }
  std::int64_t id(const std::string& text) {
    const auto [at, added] = ids_.try_emplace(text, static_cast<std::int64_t>(list_.size()));
    if (added) {
      list_.push_back(text);
    }
    return at->second;
  }
  [[nodiscard]] const std::vector<std::string>& list() const { return list_; }

 private:
  std::map<std::string, std::int64_t> ids_;
  std::vector<std::string> list_;
};

void value_type(protozero::pbf_writer& out,
                ProfileField field,
                StringTable& strings,
                const char* type,
                const char* unit) {
  protozero::pbf_writer value(out, field);
  value.add_int64(1, strings.id(type));
  value.add_int64(2, strings.id(unit));
}

void label(protozero::pbf_writer& sample,
           StringTable& strings,
           const char* key,
           const std::string& text) {
  if (!text.empty()) {
    protozero::pbf_writer out(sample, 3);
    out.add_int64(1, strings.id(key));
    out.add_int64(2, strings.id(text));
  }
}

void label(protozero::pbf_writer& sample,
           StringTable& strings,
           const char* key,
           std::int64_t number) {
  protozero::pbf_writer out(sample, 3);
  out.add_int64(1, strings.id(key));
  out.add_int64(3, number);
}

// As they are in each of its samples.
std::string labels(StringTable& strings, const Subject& subject) {
  std::string bytes;
  protozero::pbf_writer sample(bytes);
  label(sample, strings, "pid", subject.tgid);
  label(sample, strings, "tid", subject.task.pid);
  label(sample, strings, "comm", std::string(comm_view(subject.comm)));
  const CgroupIdentity& cgroup = *subject.cgroup->identity;
  label(sample, strings, "cgroup", cgroup.path);
  if (cgroup.container) {
    label(sample, strings, "container", cgroup.container->id);
    label(sample, strings, "pod",
          cgroup.container->pod ? cgroup.container->pod->name : cgroup.container->pod_uid);
    label(sample, strings, "namespace",
          cgroup.container->pod ? cgroup.container->pod->name_space : "");
  }
  return bytes;
}

}  // namespace

std::string pprof(const Profile& profile) {
  std::string bytes;
  protozero::pbf_writer out(bytes);
  StringTable strings;
  value_type(out, kSampleType, strings, "samples", "count");
  value_type(out, kSampleType, strings, "cpu", "nanoseconds");
  value_type(out, kSampleType, strings, "energy", "microjoules");
  std::vector<Function> functions = profile.functions;
  WholeUnits rounded = WholeUnits::microjoules();
  std::string body;
  std::vector<std::uint64_t> locations;  // leaf first; ids begin at 1
  const auto sample = [&](const std::vector<std::size_t>& stack, const StackEnergy& cell,
                          const std::string& labels_bytes) {
    body.clear();
    locations.clear();
    for (auto at = stack.rbegin(); at != stack.rend(); ++at) {
      locations.push_back(*at + 1);
    }
    const std::int64_t values[] = {static_cast<std::int64_t>(cell.samples), cell.run_ns,
                                   rounded.next(cell.energy_nj)};
    {
      protozero::pbf_writer one(body);
      one.add_packed_uint64(1, locations.begin(), locations.end());
      one.add_packed_int64(2, std::begin(values), std::end(values));
    }
    body += labels_bytes;
    out.add_message(kSample, body);
  };
  std::vector<std::string> by_subject;
  for (const Subject& subject : profile.subjects) {
    by_subject.push_back(labels(strings, subject));
  }
  const auto special = [&](const char* name) {
    functions.push_back({name, "", "", 0});
    return std::vector<std::size_t>{functions.size() - 1};
  };
  const std::vector<std::size_t> others = special("[others]");
  StackEnergy rest;
  for (const StackEnergy& cell : profile.cells) {
    const Subject& subject = profile.subjects[cell.subject];
    if (subject.selected) {
      sample(profile.stacks[cell.stack], cell, by_subject[cell.subject]);
    } else {
      rest.energy_nj += cell.energy_nj;
      rest.run_ns += cell.run_ns;
      rest.samples += cell.samples;
    }
  }
  sample(others, rest, "");
  sample(special("[idle]"), {0, 0, 0, profile.idle_nj, 0}, "");
  sample(special("[unattributed]"), {0, 0, 0, profile.unattributed_nj, 0}, "");
  for (std::size_t i = 0; i < functions.size(); ++i) {
    {
      protozero::pbf_writer location(out, kLocation);
      location.add_uint64(1, i + 1);
      protozero::pbf_writer line(location, 4);
      line.add_uint64(1, i + 1);
      line.add_int64(2, functions[i].line);
    }
    protozero::pbf_writer function(out, kFunction);
    function.add_uint64(1, i + 1);
    function.add_int64(2, strings.id(functions[i].name));
    function.add_int64(3, strings.id(functions[i].name));
    function.add_int64(4, strings.id(functions[i].file));
  }
  out.add_int64(kTimeNanos, static_cast<std::int64_t>(profile.meta.realtime_ns));
  out.add_int64(kDurationNanos, static_cast<std::int64_t>(profile.duration_ns));
  value_type(out, kPeriodType, strings, "cpu", "nanoseconds");
  out.add_int64(kPeriod, profile.meta.sample_hz > 0 ? 1'000'000'000 / profile.meta.sample_hz : 0);
  out.add_int64(kDefaultSampleType, strings.id("energy"));
  for (const std::string& text : strings.list()) {
    out.add_string(kStringTable, text);
  }
  return bytes;
}

std::string gzip(const std::string& bytes) {
  z_stream stream{};
  constexpr int kGzipWindow = 15 + 16;
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    return "";
  }
  std::string out(deflateBound(&stream, bytes.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int done = deflate(&stream, Z_FINISH);
  out.resize(done == Z_STREAM_END ? stream.total_out : 0);
  deflateEnd(&stream);
  return out;
}

}  // namespace powertrace::report
