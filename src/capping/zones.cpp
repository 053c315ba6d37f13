// SPDX-License-Identifier: Apache-2.0
#include "capping/zones.hpp"

#include <algorithm>
#include <cerrno>

namespace powertrace {
namespace {

constexpr int kMaxConstraints = 8;
constexpr std::uint64_t kLeastReferenceUw = 5'000'000;

std::string first_line(std::string text) {
  text.erase(std::find(text.begin(), text.end(), '\n'), text.end());
  return text;
}

bool sane(std::uint64_t limit_uw) {
  return limit_uw >= kLeastReferenceUw && limit_uw <= kSaneLimitUw;
}

Result<std::optional<PowerConstraint>> read_constraint(SysfsIo& io,
                                                       const std::string& dir,
                                                       std::string_view wanted) {
  for (int index = 0; index < kMaxConstraints; ++index) {
    const std::string prefix = fmt::format("{}/constraint_{}_", dir, index);
    const auto name = io.read(prefix + "name");
    if (!name || first_line(*name) != wanted) {
      continue;
    }
    PowerConstraint constraint;
    constraint.index = index;
    PT_ASSIGN(constraint.limit_uw, io.read_number(prefix + "power_limit_uw"));
    PT_ASSIGN(constraint.limit_text, io.read(prefix + "power_limit_uw"));
    if (const auto max_uw = io.read_number(prefix + "max_power_uw")) {
      constraint.max_uw = *max_uw;
    }
    constraint.window_text = io.read(prefix + "time_window_us").value_or("");
    return std::optional(std::move(constraint));
  }
  return std::optional<PowerConstraint>();
}

std::string problem_of(const PowerZone& zone) {
  if (!zone.long_term) {
    return "it has no long-term limit (AMD processors report energy only)";
  }
  if (zone.long_term->limit_uw == 0) {
    return "its long-term limit reads 0 W";
  }
  if (zone.short_term && zone.short_term->limit_uw < zone.long_term->limit_uw) {
    return "its short-term limit is below the long-term one; somebody has changed it";
  }
  if (!zone.reference_uw()) {
    return "its design power is unknown and its limit no real one; give --max-watts";
  }
  return "";
}

PowerZone read_zone(SysfsIo& io, const std::string& id, const std::string& dir) {
  PowerZone zone;
  zone.id = id;
  zone.dir = dir;
  zone.name = first_line(io.read(dir + "/name").value_or(""));
  zone.enabled_text = io.read(dir + "/enabled").value_or("1\n");
  zone.enabled = first_line(zone.enabled_text) != "0";
  if (const auto range = io.read_number(dir + "/max_energy_range_uj")) {
    zone.energy_range_uj = *range;
  }
  const auto fill = [&](const char* name, std::optional<PowerConstraint>& constraint) {
    auto found = read_constraint(io, dir, name);
    if (found) {
      constraint = std::move(*found);
    } else if (zone.problem.empty()) {
      zone.problem = found.error().sys_errno == ENODATA
                         ? fmt::format("its {} limit is locked (the driver has no data)", name)
                         : found.error().message;
    }
  };
  fill("long_term", zone.long_term);
  fill("short_term", zone.short_term);
  return zone;
}

}  // namespace

std::string PowerZone::limit_path(const PowerConstraint& constraint) const {
  return fmt::format("{}/constraint_{}_power_limit_uw", dir, constraint.index);
}

std::optional<std::uint64_t> PowerZone::reference_uw() const {
  if (long_term && long_term->max_uw && sane(*long_term->max_uw)) {
    return long_term->max_uw;
  }
  if (long_term && sane(long_term->limit_uw)) {
    return long_term->limit_uw;
  }
  return user_max_uw;
}

std::uint64_t PowerZone::most_uw() const {
  const std::uint64_t limit_uw = long_term ? long_term->limit_uw : 0;
  return limit_uw <= kSaneLimitUw ? limit_uw : reference_uw().value_or(0);
}

Result<std::vector<PowerZone>> find_package_zones(SysfsIo& io,
                                                  const SysRoot& root,
                                                  std::optional<std::uint64_t> user_max_uw) {
  const std::string base = root.sys("class/powercap");
  auto entries = io.list(base);
  if (!entries) {
    return fail(ErrorCode::kUnsupported,
                "there are no power limits here: {}; load the module intel_rapl_msr, or mount the "
                "host's /sys and name it with --sysfs",
                entries.error().message);
  }
  std::vector<PowerZone> zones;
  for (const std::string& id : *entries) {
    constexpr std::string_view kPrefix = "intel-rapl:";
    const bool top_level =
        id.starts_with(kPrefix) && id.find(':', kPrefix.size()) == std::string::npos;
    if (!top_level) {
      continue;
    }
    PowerZone zone = read_zone(io, id, base + "/" + id);
    zone.user_max_uw = user_max_uw;
    if (!zone.name.starts_with("package-")) {
      continue;
    }
    if (zone.problem.empty()) {
      zone.problem = problem_of(zone);
    }
    zones.push_back(std::move(zone));
  }
  if (zones.empty()) {
    return fail(ErrorCode::kUnsupported,
                "{} has no package zones of intel-rapl: this machine's power cannot be limited "
                "from here",
                base);
  }
  std::sort(zones.begin(), zones.end(),
            [](const PowerZone& a, const PowerZone& b) { return a.name < b.name; });
  return zones;
}

}  // namespace powertrace
