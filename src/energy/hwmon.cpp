// SPDX-License-Identifier: Apache-2.0
#include "energy/hwmon.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>
#include <tuple>

#include "base/log.hpp"

namespace powertrace {
namespace {

// What a driver's label says about a sensor. A rule whose label ends in a space is followed by the
// number of the socket.
struct Rule {
  std::string_view chip;
  std::string_view label;
  ZoneKind kind;
  bool in_total;
};

// ACPI's power_meter is a processor's only on NVIDIA Grace, whose labels tell; elsewhere it is the
// whole machine's. "Grace Power" holds "CPU Power" and "SysIO Power"; "Module Power" the GPU too.
constexpr Rule kRules[] = {
    {"amd_energy", "Esocket", ZoneKind::kPackage, true},
    {"apm_xgene", "CPU power", ZoneKind::kPackage, true},
    {"apm_xgene", "IO power", ZoneKind::kPackage, true},
    {"power_meter", "Grace Power Socket ", ZoneKind::kPackage, true},
    {"power_meter", "CPU Power Socket ", ZoneKind::kCore, false},
    {"power_meter", "SysIO Power Socket ", ZoneKind::kUncore, false},
    {"power_meter", "Module Power Socket ", ZoneKind::kPlatform, false},
};

std::optional<Zone> classify(std::string_view chip, std::string_view label) {
  for (const Rule& rule : kRules) {
    if (rule.chip != chip || !label.starts_with(rule.label)) {
      continue;
    }
    Zone zone;
    zone.kind = rule.kind;
    zone.in_total = rule.in_total;
    zone.measured = true;
    zone.socket = 0;
    const std::string_view number = label.substr(rule.label.size());
    const char* end = number.data() + number.size();
    const auto parsed = std::from_chars(number.data(), end, zone.socket);
    if (!number.empty() && (parsed.ec != std::errc() || parsed.ptr != end || zone.socket < 0)) {
      continue;
    }
    zone.name = fmt::format("{}-{}{}", zone_kind_name(zone.kind), zone.socket,
                            rule.label == "IO power" ? "-io" : "");
    return zone;
  }
  return std::nullopt;
}

struct Sensor {
  Zone zone;
  ValueFile::NameCheck label;
  std::string path;
  bool energy = false;  // else power
};

// "energy3_label" is of "energy3_input".
std::optional<Sensor> inspect_sensor(const std::string& dir,
                                     const std::string& chip,
                                     const std::string& file) {
  constexpr std::string_view kLabel = "_label";
  constexpr std::string_view kOemInfo = "_oem_info";
  const std::string_view name = file;
  const bool energy = name.starts_with("energy");
  if ((!energy && !name.starts_with("power")) ||
      (!name.ends_with(kLabel) && !name.ends_with(kOemInfo))) {
    return std::nullopt;
  }
  const std::string label_path = dir + "/" + file;
  const auto label = read_trimmed(label_path);
  auto zone = label ? classify(chip, *label) : std::nullopt;
  if (!zone) {
    return std::nullopt;
  }
  const std::string stem = dir + "/" + file.substr(0, file.find('_'));
  const std::string average = stem + "_average";
  const bool averaged = !energy && read_trimmed(average).has_value();
  return Sensor{
      std::move(*zone), {label_path, *label}, averaged ? average : stem + "_input", energy};
}

std::vector<Sensor> find_sensors(const std::string& base) {
  std::vector<Sensor> found;
  for (const std::string& entry : list_dir(base).value_or(std::vector<std::string>{})) {
    // Older drivers keep their files one level down.
    for (const std::string& dir : {base + "/" + entry, base + "/" + entry + "/device"}) {
      const auto chip = read_trimmed(dir + "/name");
      const auto files = chip ? list_dir(dir) : Result<std::vector<std::string>>();
      for (const std::string& file : files.value_or(std::vector<std::string>{})) {
        auto candidate = chip ? inspect_sensor(dir, *chip, file) : std::nullopt;
        const bool taken =
            candidate && std::any_of(found.begin(), found.end(), [&](const Sensor& other) {
              return other.zone.name == candidate->zone.name;
            });
        if (candidate && !taken) {
          found.push_back(std::move(*candidate));
        }
      }
    }
  }
  std::sort(found.begin(), found.end(), [](const Sensor& a, const Sensor& b) {
    return std::tie(a.zone.socket, a.zone.kind, a.zone.name) <
           std::tie(b.zone.socket, b.zone.kind, b.zone.name);
  });
  return found;
}

}  // namespace

int PowerSensor::probe(ClockFn clock) {
  std::uint64_t value_uw = 0;
  return file_.read(clock(), value_uw);
}

void PowerSensor::read(ClockFn clock, ZoneDelta& delta) {
  delta = {};
  const std::uint64_t now_ns = clock();
  std::uint64_t now_uw = 0;
  if (const int error = file_.read(now_ns, now_uw); error != 0) {
    has_previous_ = false;
    mark_unreadable(error, delta);
    return;
  }
  if (has_previous_) {
    delta.duration_ns = now_ns - previous_ns_;
    const double mean_uw = (static_cast<double>(previous_uw_) + static_cast<double>(now_uw)) / 2;
    const double energy_nj = mean_uw * static_cast<double>(delta.duration_ns) * 1e-6;
    // A sensor that says more than 1 MW is broken.
    const bool sane = energy_nj <= static_cast<double>(delta.duration_ns) * 1e6;
    delta.status = sane ? ZoneStatus::kOk : ZoneStatus::kAmbiguous;
    delta.energy_nj = sane ? static_cast<std::int64_t>(std::llround(energy_nj)) : 0;
  } else {
    delta.status = ZoneStatus::kFirst;
  }
  has_previous_ = true;
  previous_uw_ = now_uw;
  previous_ns_ = now_ns;
}

Result<std::unique_ptr<HwmonSource>> HwmonSource::open(const SysRoot& root, ClockFn clock) {
  const std::string base = root.sys("class/hwmon");
  std::vector<Sensor> found = find_sensors(base);
  const bool any_total = std::any_of(found.begin(), found.end(),
                                     [](const Sensor& each) { return each.zone.in_total; });
  if (!any_total) {
    return fail(ErrorCode::kNotFound, "{} has no energy or power sensor of a processor", base);
  }
  std::unique_ptr<HwmonSource> source(new HwmonSource);
  source->clock_ = clock;
  const Sensor* unreadable = nullptr;
  int unreadable_errno = 0;
  bool readable = false;
  for (const Sensor& sensor : found) {
    Meter meter;
    int error = 0;
    if (sensor.energy) {
      meter.counter =
          std::make_unique<EnergyCounter>(CounterSpec{sensor.path, 0, 0, {sensor.label}});
      error = meter.counter->probe(clock);
    } else {
      meter.sensor = std::make_unique<PowerSensor>(
          ValueFile(sensor.path, std::vector<ValueFile::NameCheck>{sensor.label}));
      error = meter.sensor->probe(clock);
    }
    if (error != 0) {
      unreadable = &sensor;
      unreadable_errno = error;
      log_warn("zone {} cannot be read ({}): its energy is missing", sensor.zone.name,
               std::strerror(error));
    }
    readable = readable || (error == 0 && sensor.zone.in_total);
    source->zones_.push_back(sensor.zone);
    source->meters_.push_back(std::move(meter));
  }
  if (!readable) {
    auto failure = fail_errno(unreadable_errno, "cannot read {}", unreadable->path);
    if (failure.value().code != ErrorCode::kPermission) {
      failure.value().code = ErrorCode::kUnsupported;
    }
    return failure;
  }
  return source;
}

void HwmonSource::read(std::span<ZoneDelta> deltas) {
  for (std::size_t i = 0; i < meters_.size() && i < deltas.size(); ++i) {
    if (meters_[i].counter) {
      meters_[i].counter->read(clock_, deltas[i]);
    } else {
      meters_[i].sensor->read(clock_, deltas[i]);
    }
  }
}

std::uint64_t HwmonSource::max_interval_ns() const {
  return std::numeric_limits<std::uint64_t>::max();
}

}  // namespace powertrace
