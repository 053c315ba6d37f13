// SPDX-License-Identifier: Apache-2.0
#include "energy/synthetic.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

#include <fcntl.h>

namespace powertrace {
namespace {

// A window of hours can only be a stopped process; the cap keeps nJ inside 63 bits at any power.
constexpr std::uint64_t kMaxWindowNs = 24ULL * 3600 * 1'000'000'000;

CpuVendor cpu_vendor(const SysRoot& root) {
  const std::string text = read_file(root.proc("cpuinfo"), 4096).value_or("");
  if (text.find("AuthenticAMD") != std::string::npos ||
      text.find("HygonGenuine") != std::string::npos) {
    return CpuVendor::kAmd;
  }
  return text.find("GenuineIntel") != std::string::npos ? CpuVendor::kIntel : CpuVendor::kUnknown;
}

// "MemTotal:       24684092 kB"
bool find_kb(std::string_view text, std::string_view key, std::uint64_t& value) {
  const std::size_t found = text.find(key);
  if (found == std::string_view::npos) {
    return false;
  }
  text.remove_prefix(found + key.size());
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc();
}

Zone make_zone(std::string name, ZoneKind kind, int socket) {
  Zone zone;
  zone.name = std::move(name);
  zone.kind = kind;
  zone.socket = socket;
  zone.in_total = true;
  return zone;
}

}  // namespace

Result<std::unique_ptr<SyntheticSource>> SyntheticSource::open(const SysRoot& root,
                                                               const SyntheticConfig& config,
                                                               ClockFn clock) {
  PT_TRY(validate(config));
  PT_ASSIGN(CpuLoad load, CpuLoad::open(root, clock()));
  const SyntheticModel model(config, cpu_vendor(root), load.cpus());
  std::unique_ptr<SyntheticSource> source(new SyntheticSource(clock, std::move(load), model));
  if (model.uses_memory()) {
    const std::string path = root.proc("meminfo");
    source->meminfo_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!source->meminfo_.valid()) {
      return fail_errno(errno, "cannot open {}", path);
    }
    if (const int error = source->read_memory(); error != 0) {
      return fail_errno(error, "cannot use {}", path);
    }
  }
  return source;
}

SyntheticSource::SyntheticSource(ClockFn clock, CpuLoad load, const SyntheticModel& model)
    : clock_(clock), load_(std::move(load)), model_(model) {
  for (const int package : load_.packages()) {
    zones_.push_back(make_zone(fmt::format("package-{}", package), ZoneKind::kPackage, package));
  }
  if (model_.has_dram()) {
    zones_.push_back(make_zone("dram", ZoneKind::kDram, -1));
  }
}

SourceInfo SyntheticSource::info() const {
  return {"synthetic", false, model_.expected_error()};
}

std::uint64_t SyntheticSource::max_interval_ns() const {
  return kMaxWindowNs;
}

int SyntheticSource::read_memory() {
  std::array<char, 512> buffer{};  // the first three lines
  const ssize_t got = ::pread(meminfo_.get(), buffer.data(), buffer.size(), 0);
  if (got < 0) {
    return errno;
  }
  const std::string_view text(buffer.data(), static_cast<std::size_t>(got));
  std::uint64_t total_kb = 0;
  std::uint64_t available_kb = 0;
  if (!find_kb(text, "MemTotal:", total_kb) || !find_kb(text, "MemAvailable:", available_kb)) {
    return EINVAL;
  }
  used_gb_ =
      available_kb < total_kb ? static_cast<double>(total_kb - available_kb) * 1024 / 1e9 : 0;
  return 0;
}

int SyntheticSource::read_inputs(std::uint64_t now_ns) {
  const int error = load_.update(now_ns);
  return error == 0 && model_.uses_memory() ? read_memory() : error;
}

void SyntheticSource::split(const NodePower& power,
                            std::int64_t energy_nj,
                            std::span<ZoneDelta> deltas) const {
  const double total_w = power.total_w();
  double so_far_w = 0;
  std::int64_t so_far_nj = 0;
  for (std::size_t i = 0; i < deltas.size(); ++i) {
    so_far_w += i < load_.packages().size()
                    ? power.idle_w * load_.cpu_share(i) + power.active_w * load_.busy_share(i)
                    : power.dram_w;
    // Rounded on the running sum, so that the zones add up to the node whatever the shares.
    const double part = total_w > 0 ? std::min(so_far_w / total_w, 1.0) : 1.0;
    const bool last = i + 1 == deltas.size();
    const std::int64_t up_to_nj =
        last ? energy_nj
             : std::min<std::int64_t>(energy_nj,
                                      std::llround(part * static_cast<double>(energy_nj)));
    deltas[i].energy_nj = std::max<std::int64_t>(up_to_nj - so_far_nj, 0);
    so_far_nj = std::max(so_far_nj, up_to_nj);
  }
}

std::optional<std::int64_t> SyntheticSource::idle_milliwatts(std::size_t zone) const {
  const NodePower rest = model_.at(0, used_gb_);
  const double watts =
      zone < load_.packages().size() ? rest.idle_w * load_.cpu_share(zone) : rest.dram_w;
  return static_cast<std::int64_t>(std::floor(watts * 1e3));
}

void SyntheticSource::read(std::span<ZoneDelta> deltas) {
  deltas = deltas.first(std::min(deltas.size(), zones_.size()));
  const std::uint64_t now_ns = clock_();
  const int error = read_inputs(now_ns);
  const std::uint64_t elapsed_ns = now_ns > previous_ns_ ? now_ns - previous_ns_ : 0;
  ZoneDelta delta;
  if (error != 0) {
    delta.status = ZoneStatus::kUnreadable;
    delta.sys_errno = error;
  } else if (!has_previous_) {
    delta.status = ZoneStatus::kFirst;
  } else if (elapsed_ns > kMaxWindowNs) {
    delta.status = ZoneStatus::kAmbiguous;  // nobody saw the load over that time
  } else {
    delta.duration_ns = elapsed_ns;
  }
  std::fill(deltas.begin(), deltas.end(), delta);
  has_previous_ = error == 0;
  previous_ns_ = now_ns;
  if (delta.status == ZoneStatus::kOk) {
    const NodePower power = model_.at(load_.load(), used_gb_);
    const double energy_nj = power.total_w() * static_cast<double>(elapsed_ns) + carry_nj_;
    const auto whole_nj = static_cast<std::int64_t>(energy_nj);
    carry_nj_ = energy_nj - static_cast<double>(whole_nj);
    split(power, whole_nj, deltas);
  }
}

}  // namespace powertrace
