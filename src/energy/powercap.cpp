// SPDX-License-Identifier: Apache-2.0
#include "energy/powercap.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <limits>
#include <optional>
#include <string_view>
#include <tuple>

#include "base/log.hpp"

namespace powertrace {
namespace {

// No known package draws more; a constraint that allows more (4095.875 W occurs) is a register left
// at its maximum and says nothing.
constexpr std::uint64_t kSaneConstraintUw = 4'000'000'000;
constexpr std::uint64_t kMinPackageUw = 100'000'000;
constexpr std::uint64_t kSafety = 2;  // turbo and short-term limits lie above the thermal design

struct ZoneId {
  bool mmio = false;
  std::vector<int> numbers;  // intel-rapl:1:0 -> {1, 0}
};

std::optional<ZoneId> parse_zone_id(std::string_view text) {
  ZoneId id;
  constexpr std::string_view kMsr = "intel-rapl:";
  constexpr std::string_view kMmio = "intel-rapl-mmio:";
  if (text.starts_with(kMsr)) {
    text.remove_prefix(kMsr.size());
  } else if (text.starts_with(kMmio)) {
    text.remove_prefix(kMmio.size());
    id.mmio = true;
  } else {
    return std::nullopt;
  }
  const char* at = text.data();
  const char* end = at + text.size();
  while (true) {
    int number = 0;
    const auto parsed = std::from_chars(at, end, number);
    if (parsed.ec != std::errc() || number < 0) {
      return std::nullopt;
    }
    id.numbers.push_back(number);
    if (parsed.ptr == end) {
      return id;
    }
    if (*parsed.ptr != ':') {
      return std::nullopt;
    }
    at = parsed.ptr + 1;
  }
}

// "package-1-die-0": socket 1, die 0.
bool parse_package(std::string_view name, Zone& zone) {
  const auto number = [&name](std::string_view prefix, int& value) {
    if (!name.starts_with(prefix)) {
      return false;
    }
    const char* end = name.data() + name.size();
    const auto parsed = std::from_chars(name.data() + prefix.size(), end, value);
    name = {parsed.ptr, static_cast<std::size_t>(end - parsed.ptr)};
    return parsed.ec == std::errc() && value >= 0;
  };
  return number("package-", zone.socket) &&
         (name.empty() || (number("-die-", zone.die) && name.empty()));
}

// `parent` is the name of the zone that contains it, empty for a top-level zone.
std::optional<Zone> classify(const std::string& name, const std::string& parent) {
  Zone zone;
  zone.measured = true;
  if (name == "psys") {
    zone.kind = ZoneKind::kPsys;
    zone.name = name;
    return zone;
  }
  if (parse_package(name, zone)) {
    zone.name = name;
    zone.in_total = true;
    return zone;
  }
  if (name == "core") {
    zone.kind = ZoneKind::kCore;
  } else if (name == "uncore") {
    zone.kind = ZoneKind::kUncore;
  } else if (name == "dram") {
    zone.kind = ZoneKind::kDram;
    zone.in_total = true;
  } else {
    return std::nullopt;
  }
  zone.name = name;
  zone.socket = -1;
  zone.die = -1;
  if (!parse_package(parent, zone)) {
    zone.socket = -1;  // inside psys, or at the top: of the whole node
    zone.die = -1;
    return zone;
  }
  zone.name += fmt::format("-{}", zone.socket);
  if (zone.die >= 0) {
    zone.name += fmt::format("-die-{}", zone.die);
  }
  return zone;
}

std::uint64_t default_power_uw(ZoneKind kind) {
  switch (kind) {
    case ZoneKind::kDram:
      return 300'000'000;
    case ZoneKind::kPsys:
      return 4'000'000'000;
    default:
      return 1'000'000'000;
  }
}

std::uint64_t max_power_uw(const std::string& dir, ZoneKind kind) {
  std::uint64_t found_uw = 0;
  for (const std::string& file : list_dir(dir).value_or(std::vector<std::string>{})) {
    const std::string_view name = file;
    if (name.starts_with("constraint_") &&
        (name.ends_with("_max_power_uw") || name.ends_with("_power_limit_uw"))) {
      const std::uint64_t limit_uw = read_u64(dir + "/" + file).value_or(0);
      if (limit_uw <= kSaneConstraintUw) {
        found_uw = std::max(found_uw, limit_uw);
      }
    }
  }
  if (found_uw == 0) {
    return default_power_uw(kind);
  }
  // A limit may be a cap that is lifted while we run, so it never makes the bound a tight one.
  return std::max(found_uw * kSafety,
                  kind == ZoneKind::kPackage ? kMinPackageUw : default_power_uw(kind));
}

struct Candidate {
  ZoneId id;
  Zone zone;
  EnergyCounter counter;
  int error = 0;  // of the first reading
};

std::optional<Candidate> inspect(const std::string& base, const std::string& entry, ClockFn clock) {
  auto id = parse_zone_id(entry);
  if (!id) {
    return std::nullopt;
  }
  const std::string dir = base + "/" + entry;
  const auto name = read_trimmed(dir + "/name");
  if (!name) {
    log_debug("powercap: {} left out: {}", entry, name.error().message);
    return std::nullopt;
  }
  CounterSpec spec;
  spec.path = dir + "/energy_uj";
  spec.identity.push_back({dir + "/name", *name});
  std::string parent;
  if (id->numbers.size() > 1) {
    const std::string parent_file = base + "/" + entry.substr(0, entry.rfind(':')) + "/name";
    parent = read_trimmed(parent_file).value_or("");
    if (!parent.empty()) {
      spec.identity.push_back({parent_file, parent});
    }
  }
  auto zone = classify(*name, parent);
  if (!zone) {
    log_debug("powercap: {} left out: unknown zone \"{}\"", entry, *name);
    return std::nullopt;
  }
  spec.range_uj = read_u64(dir + "/max_energy_range_uj").value_or(0);
  spec.max_power_uw = max_power_uw(dir, zone->kind);
  Candidate candidate{std::move(*id), std::move(*zone), EnergyCounter(std::move(spec)), 0};
  candidate.error = candidate.counter.probe(clock);
  return candidate;
}

// Readable before unreadable and MSR before MMIO, so that the first of each name is the one to
// keep.
void drop_duplicates(std::vector<Candidate>& found) {
  std::stable_sort(found.begin(), found.end(), [](const Candidate& a, const Candidate& b) {
    return std::tuple(a.error != 0, a.id.mmio, a.id.numbers) <
           std::tuple(b.error != 0, b.id.mmio, b.id.numbers);
  });
  std::vector<Candidate> kept;
  for (Candidate& candidate : found) {
    const bool taken = std::any_of(kept.begin(), kept.end(), [&candidate](const Candidate& other) {
      return other.zone.name == candidate.zone.name;
    });
    if (taken) {
      log_debug("powercap: {} repeats {}, left out", candidate.counter.spec().path,
                candidate.zone.name);
    } else {
      kept.push_back(std::move(candidate));
    }
  }
  found = std::move(kept);
  const auto place = [](const Zone& zone) {
    const auto whole_node_last = static_cast<unsigned>(zone.socket);
    return std::tuple(whole_node_last, zone.die, zone.kind, zone.name);
  };
  std::sort(found.begin(), found.end(), [&place](const Candidate& a, const Candidate& b) {
    return place(a.zone) < place(b.zone);
  });
}

Status check_usable(const std::vector<Candidate>& found, const std::string& base) {
  if (found.empty()) {
    return fail(ErrorCode::kNotFound, "{} has no RAPL zones", base);
  }
  const Candidate* unreadable = nullptr;
  for (const Candidate& candidate : found) {
    if (!candidate.zone.in_total) {
      continue;
    }
    if (candidate.error == 0) {
      return {};
    }
    unreadable = &candidate;
  }
  if (unreadable == nullptr) {
    return fail(ErrorCode::kUnsupported, "{} has neither a package nor a dram zone", base);
  }
  auto failure = fail_errno(unreadable->error, "cannot read {}", unreadable->counter.spec().path);
  if (failure.value().code != ErrorCode::kPermission) {
    failure.value().code = ErrorCode::kUnsupported;
  }
  return failure;
}

}  // namespace

Result<std::unique_ptr<PowercapSource>> PowercapSource::open(const SysRoot& root, ClockFn clock) {
  const std::string base = root.sys("class/powercap");
  PT_ASSIGN(const std::vector<std::string> entries, list_dir(base));
  std::vector<Candidate> found;
  for (const std::string& entry : entries) {
    if (auto candidate = inspect(base, entry, clock)) {
      found.push_back(std::move(*candidate));
    }
  }
  drop_duplicates(found);
  PT_TRY(check_usable(found, base));

  std::unique_ptr<PowercapSource> source(new PowercapSource);
  source->clock_ = clock;
  for (Candidate& candidate : found) {
    if (candidate.error != 0) {
      log_warn("zone {} cannot be read ({}): its energy is missing", candidate.zone.name,
               std::strerror(candidate.error));
    }
    source->zones_.push_back(std::move(candidate.zone));
    source->counters_.push_back(std::move(candidate.counter));
  }
  return source;
}

SourceInfo PowercapSource::info() const {
  return {"powercap", true, 0};
}

void PowercapSource::read(std::span<ZoneDelta> deltas) {
  for (std::size_t i = 0; i < counters_.size() && i < deltas.size(); ++i) {
    counters_[i].read(clock_, deltas[i]);
  }
}

std::uint64_t PowercapSource::max_interval_ns() const {
  std::uint64_t interval_ns = std::numeric_limits<std::uint64_t>::max();
  for (const EnergyCounter& counter : counters_) {
    interval_ns = std::min(interval_ns, counter.max_interval_ns());
  }
  return interval_ns;
}

}  // namespace powertrace
