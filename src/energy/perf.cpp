// SPDX-License-Identifier: Apache-2.0
#include "energy/perf.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <linux/perf_event.h>
#include <optional>
#include <sys/syscall.h>

#include <unistd.h>

#include "base/log.hpp"
#include "base/parse.hpp"

namespace powertrace {
namespace {

// The kernel extends the 32-bit register by a signed difference and, while nobody reads, by a timer
// meant for 200 W. At 2^-16 J and 1000 W half a range passes in 32 s, and more could hide a wrap.
constexpr std::uint64_t kLongestGapNs = 32'000'000'000;
constexpr long double kMaxEnergyNj = 9.0e18L;

struct EventKind {
  std::string_view event;
  std::string_view zone;
  ZoneKind kind;
  bool in_total;
};
constexpr std::array<EventKind, 5> kEvents{{
    {"energy-pkg", "package", ZoneKind::kPackage, true},
    {"energy-cores", "core", ZoneKind::kCore, false},
    {"energy-gpu", "uncore", ZoneKind::kUncore, false},
    {"energy-ram", "dram", ZoneKind::kDram, true},
    {"energy-psys", "psys", ZoneKind::kPsys, false},
}};

struct Place {
  int cpu = 0;
  int socket = 0;
  int die = -1;  // -1: the only one of its package
};

int topology(const SysRoot& root, int cpu, const char* file) {
  const auto text =
      read_trimmed(root.sys(fmt::format("devices/system/cpu/cpu{}/topology/{}", cpu, file)));
  int id = 0;
  if (text) {
    std::from_chars(text->data(), text->data() + text->size(), id);
  }
  return std::max(id, 0);
}

// The PMU's scope is the die on Intel and the package on AMD; the mask shows which.
Result<std::vector<Place>> find_places(const SysRoot& root, const std::string& pmu) {
  PT_ASSIGN(const std::string mask, read_trimmed(pmu + "/cpumask"));
  const auto cpus = parse_cpu_list(mask);
  if (!cpus) {
    return tl::make_unexpected(with_context(cpus.error(), pmu + "/cpumask"));
  }
  std::vector<Place> places;
  for (const int cpu : *cpus) {
    places.push_back({cpu, topology(root, cpu, "physical_package_id"), -1});
  }
  for (Place& place : places) {
    const auto same_socket =
        std::count_if(places.begin(), places.end(),
                      [&place](const Place& other) { return other.socket == place.socket; });
    if (same_socket > 1) {
      place.die = topology(root, place.cpu, "die_id");
    }
  }
  return places;
}

// "event=0x02"
std::optional<std::uint64_t> parse_event(std::string_view text) {
  constexpr std::string_view kPrefix = "event=0x";
  std::uint64_t config = 0;
  if (!text.starts_with(kPrefix)) {
    return std::nullopt;
  }
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + kPrefix.size(), end, config, 16);
  return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(config) : std::nullopt;
}

struct Event {
  std::uint32_t type = 0;
  std::uint64_t config = 0;
  double joules_per_count = 0;
};

std::optional<Event> read_event(const std::string& pmu, std::uint32_t type, std::string_view name) {
  const std::string file = fmt::format("{}/events/{}", pmu, name);
  const auto config = parse_event(read_trimmed(file).value_or(""));
  const auto scale = parse_double(read_trimmed(file + ".scale").value_or(""));
  const std::string unit = read_trimmed(file + ".unit").value_or("");
  if (!config || !scale || !(*scale > 0 && *scale <= 1) || unit != "Joules") {
    return std::nullopt;
  }
  return Event{type, *config, *scale};
}

int open_event(const Event& event, int cpu) {
  perf_event_attr attr{};
  attr.size = sizeof(attr);
  attr.type = event.type;
  attr.config = event.config;
  return static_cast<int>(::syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC));
}

Zone make_zone(const EventKind& kind, const Place& place) {
  Zone zone;
  zone.kind = kind.kind;
  zone.in_total = kind.in_total;
  zone.measured = true;
  zone.name = kind.zone;
  if (kind.kind == ZoneKind::kPsys) {
    return zone;
  }
  zone.socket = place.socket;
  zone.die = place.die;
  zone.name += fmt::format("-{}", place.socket);
  if (place.die >= 0) {
    zone.name += fmt::format("-die-{}", place.die);
  }
  return zone;
}

Error open_error(int error, std::string_view event, int cpu) {
  auto failure = fail_errno(error, "cannot open perf event power/{}/ on CPU {}", event, cpu);
  if (failure.value().code != ErrorCode::kPermission) {
    failure.value().code = ErrorCode::kUnsupported;
  }
  return failure.value();
}

}  // namespace

Result<std::unique_ptr<PerfSource>> PerfSource::open(const SysRoot& root, ClockFn clock) {
  const std::string pmu = root.sys("bus/event_source/devices/power");
  PT_ASSIGN(const std::uint64_t type, read_u64(pmu + "/type"));
  PT_ASSIGN(const std::vector<Place> places, find_places(root, pmu));
  std::unique_ptr<PerfSource> source(new PerfSource);
  source->clock_ = clock;
  std::optional<Error> refused;
  for (const Place& place : places) {
    for (const EventKind& kind : kEvents) {
      const auto event = read_event(pmu, static_cast<std::uint32_t>(type), kind.event);
      Zone zone = make_zone(kind, place);
      const bool taken =
          std::any_of(source->zones_.begin(), source->zones_.end(),
                      [&zone](const Zone& other) { return other.name == zone.name; });
      if (!event || taken) {
        continue;  // psys is one for the node, whichever CPU of the mask it is read on
      }
      Counter counter;
      counter.fd.reset(open_event(*event, place.cpu));
      if (!counter.fd.valid()) {
        const Error error = open_error(errno, kind.event, place.cpu);
        log_debug("perf: {}", error.message);
        refused = refused.value_or(error);
        if (kind.in_total) {
          return tl::make_unexpected(*refused);  // without it the total would be short
        }
        continue;
      }
      counter.nj_per_count = static_cast<long double>(event->joules_per_count) * 1e9L;
      source->zones_.push_back(std::move(zone));
      source->counters_.push_back(std::move(counter));
    }
  }
  const bool has_total = std::any_of(source->zones_.begin(), source->zones_.end(),
                                     [](const Zone& zone) { return zone.in_total; });
  if (!has_total) {
    return fail(ErrorCode::kUnsupported, "{} has neither package nor dram energy events", pmu);
  }
  return source;
}

SourceInfo PerfSource::info() const {
  return {"perf", true, 0};
}

std::uint64_t PerfSource::max_interval_ns() const {
  return kLongestGapNs;
}

void PerfSource::read_counter(Counter& counter, ZoneDelta& delta) const {
  delta = {};
  const std::uint64_t before_ns = clock_();
  std::uint64_t value = 0;
  const ssize_t got = ::read(counter.fd.get(), &value, sizeof(value));
  const std::uint64_t now_ns = before_ns + (clock_() - before_ns) / 2;
  if (got != static_cast<ssize_t>(sizeof(value))) {
    // 0 bytes: the event is in error state, as after its CPU went away.
    delta.status = got == 0 ? ZoneStatus::kGone : ZoneStatus::kUnreadable;
    delta.sys_errno = got < 0 ? errno : ENODEV;
    counter.has_previous = false;
    return;
  }
  if (!counter.has_previous) {
    delta.status = ZoneStatus::kFirst;
  } else {
    delta.duration_ns = now_ns - counter.previous_ns;
    // Rounded as a running sum, so that windows add up to the whole.
    const long double energy_nj =
        std::floor(static_cast<long double>(value) * counter.nj_per_count) -
        std::floor(static_cast<long double>(counter.previous) * counter.nj_per_count);
    if (value < counter.previous || delta.duration_ns > kLongestGapNs || energy_nj > kMaxEnergyNj) {
      delta.status = ZoneStatus::kAmbiguous;
    } else {
      delta.energy_nj = static_cast<std::int64_t>(energy_nj);
    }
  }
  counter.has_previous = true;
  counter.previous = value;
  counter.previous_ns = now_ns;
}

void PerfSource::read(std::span<ZoneDelta> deltas) {
  for (std::size_t i = 0; i < counters_.size() && i < deltas.size(); ++i) {
    read_counter(counters_[i], deltas[i]);
  }
}

}  // namespace powertrace
