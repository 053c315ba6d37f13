// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cstring>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.hpp"
#include "doctor/checks.hpp"
#include "doctor/cpuinfo.hpp"

namespace powertrace::doctor {
namespace {

constexpr auto kBetweenReadings = std::chrono::milliseconds(50);

std::string id_of(std::string_view prefix, const std::string& name) {
  return std::string(prefix) + name;
}

}  // namespace

std::vector<Finding> check_sources(const Result<SourceChoice>& choice) {
  if (!choice) {
    return {{"energy.source", FindingStatus::kMissing, "no energy source is usable",
             choice.error().message, "use --source auto, which falls back to an estimate"}};
  }
  const SourceInfo info = choice->source->info();
  std::vector<Finding> findings;
  for (const SourceFinding& source : choice->findings) {
    Finding finding{id_of("energy.source.", source.source), FindingStatus::kOk, source.reason, "",
                    ""};
    if (!source.usable) {
      // Nothing is amiss with a source that a measuring one makes unnecessary.
      finding.status = info.measured ? FindingStatus::kOk : FindingStatus::kLimited;
      finding.what = info.measured ? "not needed: " + info.name + " measures" : "not usable";
      finding.why = source.reason;
      finding.remedy = info.measured ? "" : source.remedy;
    } else if (source.source == info.name && !info.measured) {
      finding.status = FindingStatus::kLimited;
      finding.why =
          "energy is computed from load, not measured: shares are meaningful, watts only "
          "as good as the formula's idle and max";
      finding.remedy =
          "give the machine's watts at rest and at full load: --synthetic idle=W,max=W";
    }
    findings.push_back(std::move(finding));
  }
  return findings;
}

std::vector<Finding> check_zones(EnergySource& source) {
  const auto zones = source.zones();
  std::vector<ZoneDelta> deltas(zones.size());
  source.read(deltas);
  std::this_thread::sleep_for(kBetweenReadings);
  source.read(deltas);
  std::vector<Finding> findings;
  for (std::size_t i = 0; i < zones.size(); ++i) {
    Finding finding{id_of("energy.zone.", zones[i].name), FindingStatus::kOk, "", "", ""};
    const double watts =
        deltas[i].duration_ns == 0
            ? 0
            : static_cast<double>(deltas[i].energy_nj) / static_cast<double>(deltas[i].duration_ns);
    if (deltas[i].status != ZoneStatus::kOk) {
      finding.status = FindingStatus::kLimited;
      finding.what = fmt::format(
          "{}{}", zone_status_name(deltas[i].status),
          deltas[i].sys_errno == 0 ? "" : fmt::format(": {}", std::strerror(deltas[i].sys_errno)));
      finding.why = "the zone is left out of all sums";
      finding.remedy = "run as root; if it stays, the firmware or driver does not serve this zone";
    } else if (deltas[i].energy_nj == 0 && zones[i].in_total) {
      finding.status = FindingStatus::kLimited;
      finding.what = "the counter does not move";
      finding.why = "the zone counts as 0 W";
      finding.remedy = "the firmware or hypervisor does not feed it: use another --source";
    } else {
      finding.what = fmt::format("{:.2f} W over {} ms{}", watts, deltas[i].duration_ns / 1'000'000,
                                 zones[i].measured ? "" : ", an estimate");
    }
    findings.push_back(std::move(finding));
  }
  return findings;
}

Result<std::uint64_t> read_msr(const std::string& device, std::uint32_t number) {
  const UniqueFd fd(::open(device.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    return fail_errno(errno, "cannot open {}", device);
  }
  std::uint64_t value = 0;
  const ssize_t got = ::pread(fd.get(), &value, sizeof(value), number);
  if (got != static_cast<ssize_t>(sizeof(value))) {
    return fail_errno(got < 0 ? errno : EIO, "cannot read register {:#x} of {}", number, device);
  }
  return value;
}

Finding check_filtering(const SysRoot& root, const Result<std::uint64_t>& package_control) {
  Finding finding{"energy.filtering", FindingStatus::kOk, "", "", ""};
  if (!cpu_has_flag(read_file(root.proc("cpuinfo")).value_or(""), "sgx")) {
    finding.what = "no SGX, so no filtering of energy readings";
    return finding;
  }
  if (package_control && (*package_control & 1U) == 0) {
    finding.what = "energy readings are not filtered";
    return finding;
  }
  if (!package_control && package_control.error().sys_errno == EIO) {
    finding.what = "this CPU has no filter for energy readings";
    return finding;
  }
  finding.status = FindingStatus::kLimited;
  finding.what =
      package_control ? "SGX filters energy readings" : "SGX is on and may filter energy readings";
  finding.why = package_control ? "they carry random noise: windows below a second are unreliable"
                                : package_control.error().message;
  finding.remedy = package_control ? "switch SGX off in the firmware, or use --window 1s"
                                   : "modprobe msr and run as root to know";
  return finding;
}

std::optional<Finding> check_limit_lock(const Result<std::uint64_t>& package_power_limit) {
  if (!package_power_limit) {
    return std::nullopt;
  }
  const bool locked = (*package_power_limit >> 63U) != 0;
  return Finding{"energy.limits", FindingStatus::kOk,
                 locked ? "the firmware has locked the package's power limits"
                        : "the package's power limits can be set",
                 locked ? "they can be read, not set; measuring does not need them" : "", ""};
}

}  // namespace powertrace::doctor
