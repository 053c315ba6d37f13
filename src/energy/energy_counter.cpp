// SPDX-License-Identifier: Apache-2.0
#include "energy/energy_counter.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <limits>
#include <string_view>
#include <sys/stat.h>

#include <fcntl.h>

namespace powertrace {
namespace {

constexpr std::uint64_t kReopenNs = 1'000'000'000;
// A counter advances in steps of about 1 ms and is read through an IPI: two readings 1 ms apart may
// hold the energy of several. Generous, because it only has to tell a wrap from a reset.
constexpr std::uint64_t kWrapSlackNs = 1'000'000'000;
constexpr std::uint64_t kMaxDeltaUj = std::numeric_limits<std::int64_t>::max() / 1000;

double energy_uj(std::uint64_t power_uw, std::uint64_t time_ns) {
  return static_cast<double>(power_uw) * static_cast<double>(time_ns) * 1e-9;
}

bool is_gone(int error) {
  return error == ENOENT || error == ENODEV || error == ENXIO || error == ENOTDIR;
}

std::string_view trim_end(std::string_view text) {
  return text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
}

// Without allocating, unlike read_trimmed().
bool file_says(const CounterSpec::NameCheck& check) {
  const UniqueFd fd(::open(check.path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 128> buffer{};
  const ssize_t got = fd.valid() ? ::pread(fd.get(), buffer.data(), buffer.size(), 0) : -1;
  return got >= 0 && trim_end({buffer.data(), static_cast<std::size_t>(got)}) ==
                         std::string_view(check.expected);
}

}  // namespace

Unwrapped unwrap_uj(const CounterSpec& spec,
                    std::uint64_t previous_uj,
                    std::uint64_t now_uj,
                    std::uint64_t elapsed_ns) {
  constexpr Unwrapped kUnknown{ZoneStatus::kAmbiguous, 0};
  const bool may_wrap_twice = spec.range_uj > 0 && energy_uj(spec.max_power_uw, elapsed_ns) >
                                                       static_cast<double>(spec.range_uj);
  if (may_wrap_twice) {
    return kUnknown;
  }
  if (now_uj >= previous_uj) {
    const std::uint64_t delta_uj = now_uj - previous_uj;
    return delta_uj > kMaxDeltaUj ? kUnknown : Unwrapped{ZoneStatus::kOk, delta_uj};
  }
  if (spec.range_uj == 0) {
    return kUnknown;
  }
  // The range is rounded to a unit, so a reading may lie just above it.
  const std::uint64_t to_wrap_uj = spec.range_uj > previous_uj ? spec.range_uj - previous_uj : 0;
  const double plausible_uj = energy_uj(spec.max_power_uw, elapsed_ns + kWrapSlackNs);
  if (static_cast<double>(to_wrap_uj) + static_cast<double>(now_uj) > plausible_uj ||
      to_wrap_uj + now_uj > kMaxDeltaUj) {
    return kUnknown;  // the counter started anew (resume, driver reload) rather than wrapped
  }
  return {ZoneStatus::kOk, to_wrap_uj + now_uj};
}

int EnergyCounter::open(std::uint64_t now_ns) {
  opened_once_ = true;
  opened_ns_ = now_ns;
  fd_.reset(::open(spec_.path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd_.valid()) {
    return errno;
  }
  for (const CounterSpec::NameCheck& check : spec_.identity) {
    if (!file_says(check)) {
      fd_.reset();
      return ENODEV;
    }
  }
  return 0;
}

int EnergyCounter::read_value(std::uint64_t& value_uj) const {
  // sysfs answers ENODEV through the fd of a removed file; other file systems keep answering.
  struct stat status {};
  if (::fstat(fd_.get(), &status) == 0 && status.st_nlink == 0) {
    return ENODEV;
  }
  std::array<char, 64> buffer{};
  const ssize_t got = ::pread(fd_.get(), buffer.data(), buffer.size(), 0);
  if (got < 0) {
    return errno;
  }
  const std::string_view text = trim_end({buffer.data(), static_cast<std::size_t>(got)});
  if (text.empty()) {
    return ENODATA;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value_uj);
  if (error != std::errc() || end != text.data() + text.size()) {
    return EINVAL;
  }
  return 0;
}

int EnergyCounter::probe(ClockFn clock) {
  error_ = open(clock());
  if (error_ != 0) {
    return error_;
  }
  std::uint64_t value_uj = 0;
  return read_value(value_uj);
}

void EnergyCounter::lose(int error, ZoneDelta& delta) {
  has_previous_ = false;
  delta.status = is_gone(error) ? ZoneStatus::kGone : ZoneStatus::kUnreadable;
  delta.sys_errno = error;
}

void EnergyCounter::read(ClockFn clock, ZoneDelta& delta) {
  delta = {};
  const std::uint64_t before_ns = clock();
  if (!fd_.valid()) {
    if (!opened_once_ || before_ns - opened_ns_ >= kReopenNs) {
      error_ = open(before_ns);
    }
    if (error_ != 0) {
      lose(error_, delta);
      return;
    }
  }
  std::uint64_t now_uj = 0;
  const int error = read_value(now_uj);
  const std::uint64_t now_ns = before_ns + (clock() - before_ns) / 2;
  if (error != 0) {
    lose(error, delta);
    if (delta.status == ZoneStatus::kGone) {
      fd_.reset();
      error_ = error;
    }
    return;
  }
  if (has_previous_) {
    delta.duration_ns = now_ns - previous_ns_;
    const Unwrapped energy = unwrap_uj(spec_, previous_uj_, now_uj, delta.duration_ns);
    delta.status = energy.status;
    delta.energy_nj = static_cast<std::int64_t>(energy.delta_uj) * 1000;
  } else {
    delta.status = ZoneStatus::kFirst;
  }
  has_previous_ = true;
  previous_uj_ = now_uj;
  previous_ns_ = now_ns;
}

std::uint64_t EnergyCounter::max_interval_ns() const {
  if (spec_.range_uj == 0 || spec_.max_power_uw == 0) {
    return std::numeric_limits<std::uint64_t>::max();
  }
  const double seconds =
      static_cast<double>(spec_.range_uj) / static_cast<double>(spec_.max_power_uw) / 4;
  return seconds < 1e9 ? static_cast<std::uint64_t>(seconds * 1e9)
                       : std::numeric_limits<std::uint64_t>::max();
}

}  // namespace powertrace
