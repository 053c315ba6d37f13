// SPDX-License-Identifier: Apache-2.0
#include "energy/registry.hpp"

#include <algorithm>
#include <array>

#include <fmt/ranges.h>

#include "energy/hwmon.hpp"
#include "energy/perf.hpp"
#include "energy/powercap.hpp"
#include "energy/synthetic.hpp"

namespace powertrace {
namespace {

using Opened = Result<std::unique_ptr<EnergySource>>;

struct Entry {
  std::string_view name;
  Opened (*open)(const SysRoot& root, const SyntheticConfig& synthetic);
  std::string_view (*remedy)(const Error& error);
};

Opened open_perf(const SysRoot& root, const SyntheticConfig& /*synthetic*/) {
  PT_ASSIGN(auto source, PerfSource::open(root));
  return source;
}

std::string_view perf_remedy(const Error& error) {
  switch (error.code) {
    case ErrorCode::kPermission:
      return "run as root or with CAP_PERFMON, or set sysctl kernel.perf_event_paranoid=0";
    case ErrorCode::kNotFound:
      return "on hardware: modprobe rapl; a virtual machine has no RAPL: use --source synthetic";
    default:
      return "the hypervisor or firmware hides the counter: use --source synthetic";
  }
}

Opened open_powercap(const SysRoot& root, const SyntheticConfig& /*synthetic*/) {
  PT_ASSIGN(auto source, PowercapSource::open(root));
  return source;
}

std::string_view powercap_remedy(const Error& error) {
  switch (error.code) {
    case ErrorCode::kPermission:
      return "run as root or with CAP_DAC_READ_SEARCH";
    case ErrorCode::kNotFound:
      return "on hardware: modprobe intel_rapl_msr (it serves AMD too); in a container: mount the "
             "host's /sys, where Docker hides devices/virtual/powercap; a virtual machine has no "
             "RAPL: use --source synthetic";
    default:
      return "the hypervisor or firmware hides the counter: use --source synthetic";
  }
}

Opened open_hwmon(const SysRoot& root, const SyntheticConfig& /*synthetic*/) {
  PT_ASSIGN(auto source, HwmonSource::open(root));
  return source;
}

std::string_view hwmon_remedy(const Error& error) {
  switch (error.code) {
    case ErrorCode::kPermission:
      return "run as root or with CAP_DAC_READ_SEARCH";
    case ErrorCode::kNotFound:
      return "amd_energy, Ampere, X-Gene and NVIDIA Grace have such sensors; elsewhere: use "
             "another source";
    default:
      return "the sensor does not answer: use another source";
  }
}

Opened open_synthetic(const SysRoot& root, const SyntheticConfig& synthetic) {
  PT_ASSIGN(auto source, SyntheticSource::open(root, synthetic));
  return source;
}

std::string_view synthetic_remedy(const Error& error) {
  return error.code == ErrorCode::kUsage ? "correct --synthetic"
                                         : "mount the host's /proc and name it with --procfs";
}

constexpr std::array<Entry, 4> kEntries{{
    {"perf", open_perf, perf_remedy},
    {"powercap", open_powercap, powercap_remedy},
    {"hwmon", open_hwmon, hwmon_remedy},
    {"synthetic", open_synthetic, synthetic_remedy},
}};

const Entry* find_entry(std::string_view name) {
  const auto* found = std::find_if(kEntries.begin(), kEntries.end(),
                                   [name](const Entry& entry) { return entry.name == name; });
  return found == kEntries.end() ? nullptr : found;
}

std::string joined_names() {
  return fmt::format("{}", fmt::join(known_sources(), ", "));
}

std::string describe(const EnergySource& source) {
  const SourceInfo info = source.info();
  const auto zones = source.zones();
  std::vector<std::string_view> names;
  for (const Zone& zone : zones) {
    names.emplace_back(zone.name);
  }
  const std::string what = fmt::format("{}", fmt::join(names, ", "));
  return info.measured
             ? what
             : fmt::format("{}; an estimate, about +-{:.0f} %", what, info.expected_error * 100);
}

Error none_usable(const std::vector<SourceFinding>& findings, ErrorCode code) {
  Error error{code, 0, "no energy source is usable"};
  for (const SourceFinding& finding : findings) {
    error.message += fmt::format("\n  {}: {}", finding.source, finding.reason);
    if (!finding.remedy.empty()) {
      error.message += fmt::format(" ({})", finding.remedy);
    }
  }
  return error;
}

}  // namespace

std::vector<std::string> known_sources() {
  std::vector<std::string> names;
  for (const Entry& entry : kEntries) {
    names.emplace_back(entry.name);
  }
  return names;
}

Result<std::vector<std::string>> parse_source_list(std::string_view text) {
  if (text == "auto") {
    return known_sources();
  }
  std::vector<std::string> names;
  bool more = true;
  while (more) {
    const std::size_t comma = text.find(',');
    const std::string_view name = text.substr(0, comma);
    if (find_entry(name) == nullptr) {
      return fail(ErrorCode::kUsage,
                  "unknown energy source \"{}\": auto or a list of {} is accepted", name,
                  joined_names());
    }
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      return fail(ErrorCode::kUsage, "energy source {} is named twice", name);
    }
    names.emplace_back(name);
    more = comma != std::string_view::npos;
    text.remove_prefix(more ? comma + 1 : text.size());
  }
  return names;
}

Result<SourceChoice> open_source(const std::vector<std::string>& names,
                                 const SysRoot& root,
                                 const SyntheticConfig& synthetic) {
  SourceChoice choice;
  ErrorCode worst = ErrorCode::kUnsupported;
  for (const std::string& name : names) {
    const Entry* entry = find_entry(name);
    if (entry == nullptr) {
      return fail(ErrorCode::kUsage, "unknown energy source \"{}\": {} are known", name,
                  joined_names());
    }
    SourceFinding finding;
    finding.source = name;
    auto opened = entry->open(root, synthetic);
    finding.usable = opened.has_value();
    if (!opened) {
      if (opened.error().code == ErrorCode::kUsage) {
        return tl::make_unexpected(opened.error());
      }
      finding.reason = opened.error().message;
      finding.remedy = entry->remedy(opened.error());
      worst = opened.error().code == ErrorCode::kPermission ? ErrorCode::kPermission : worst;
    } else if (choice.source == nullptr) {
      finding.reason = "taken: " + describe(**opened);
      choice.source = std::move(*opened);
    } else {
      finding.reason = fmt::format("usable, {} is preferred: {}", choice.source->info().name,
                                   describe(**opened));
    }
    choice.findings.push_back(std::move(finding));
  }
  if (choice.source == nullptr) {
    return tl::make_unexpected(none_usable(choice.findings, worst));
  }
  return choice;
}

}  // namespace powertrace
