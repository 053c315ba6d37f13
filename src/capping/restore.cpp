// SPDX-License-Identifier: Apache-2.0
#include "capping/restore.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>

#include "base/log.hpp"
#include "capping/zones.hpp"

namespace powertrace {
namespace {

std::string limit_file(const SavedZone& zone, const SavedLimit& limit) {
  return fmt::format("{}/constraint_{}_power_limit_uw", zone.dir, limit.index);
}

std::uint64_t number_of(const std::string& text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

enum class Found { kOriginal, kOurs, kForeign, kGone };

// What is there now. A text that is no number is no other writer's work, but that of a write of
// ours that was cut off (only a copy of sysfs in ordinary files can be in such a state).
Found inspect(SysfsIo& io, const SavedZone& zone, const SavedLimit& limit) {
  const auto text = io.read(limit_file(zone, limit));
  if (!text && (text.error().sys_errno == ENOENT || text.error().sys_errno == ENODEV)) {
    return Found::kGone;
  }
  if (!text) {  // a fault that may pass: ours stays ours until it is back
    return limit.ours.empty() ? Found::kForeign : Found::kOurs;
  }
  if (*text == limit.original) {
    return Found::kOriginal;
  }
  if (limit.ours.empty()) {
    return Found::kForeign;
  }
  const auto now_uw = io.read_number(limit_file(zone, limit));
  const bool ours = !now_uw || same_limit(*now_uw, number_of(limit.original)) ||
                    std::any_of(limit.ours.begin(), limit.ours.end(),
                                [&now_uw](std::uint64_t own) { return same_limit(own, *now_uw); });
  return ours ? Found::kOurs : Found::kForeign;
}

// True unless it failed.
bool put_back(SysfsIo& io, const SavedZone& zone, const SavedLimit& limit, std::string& line) {
  const std::string path = limit_file(zone, limit);
  for (int attempt = 0; attempt < 2; ++attempt) {
    const Status written = io.write(path, limit.original);
    if (!written) {
      line += "; " + written.error().message;
      return false;
    }
    const auto now_uw = io.read_number(path);
    if (now_uw && same_limit(*now_uw, number_of(limit.original))) {
      return true;
    }
  }
  line += "; " + path + " does not take its old value";
  return false;
}

void restore_limit(SysfsIo& io,
                   const SavedZone& zone,
                   SavedLimit& limit,
                   const char* what,
                   RestoreReport& report,
                   std::string& line) {
  switch (inspect(io, zone, limit)) {
    case Found::kOriginal:
      ++report.as_found;
      line += fmt::format(", {} as found", what);
      break;
    case Found::kGone:
      ++report.left_alone;
      line += fmt::format(", {} is gone", what);
      break;
    case Found::kForeign:
      if (limit.ours.empty()) {
        return;  // never written by us
      }
      ++report.left_alone;
      line += fmt::format(", {} left alone: somebody else has set it", what);
      break;
    case Found::kOurs:
      if (!put_back(io, zone, limit, line)) {
        ++report.failed;
        return;
      }
      ++report.restored;
      line += fmt::format(", {} restored to {} W", what,
                          static_cast<double>(number_of(limit.original)) / 1e6);
      break;
  }
  limit.ours.clear();
}

}  // namespace

void restore_zone(SysfsIo& io, SavedZone& saved, RestoreReport& report) {
  std::string line = saved.name;
  const auto name = io.read(saved.dir + "/name");
  if (!name || !name->starts_with(saved.name)) {
    ++report.left_alone;
    report.lines.push_back(line + ": the zone is gone (or another is in its place)");
    return;
  }
  const int failed_before = report.failed;
  const int foreign_before = report.left_alone;
  // Limits only ever went down, so the short-term one goes up first.
  if (saved.short_term) {
    restore_limit(io, saved, *saved.short_term, "short-term limit", report, line);
  }
  restore_limit(io, saved, saved.long_term, "long-term limit", report, line);
  const bool clean = report.failed == failed_before && report.left_alone == foreign_before;
  if (saved.enabled_by_us && clean) {
    if (const Status status = io.write(saved.dir + "/enabled", saved.enabled); !status) {
      ++report.failed;
      line += "; " + status.error().message;
    } else {
      saved.enabled_by_us = false;
      line += ", disabled as found";
    }
  }
  report.lines.push_back(std::move(line));
}

Result<RestoreReport> restore_state(SysfsIo& io, const StateDir& dir, const SysRoot& root) {
  RestoreReport report;
  PT_ASSIGN(std::optional<CapState> state, dir.load());
  if (!state) {
    report.lines.emplace_back("nothing to restore: no limits of powertrace are in force");
    return report;
  }
  const std::string now = boot_id(root);
  if (!now.empty() && !state->boot_id.empty() && now != state->boot_id) {
    report.lines.emplace_back("nothing to restore: the machine was restarted since");
    PT_TRY(dir.remove());
    return report;
  }
  for (SavedZone& zone : state->zones) {
    restore_zone(io, zone, report);
  }
  if (report.failed == 0) {
    PT_TRY(dir.remove());
  } else {
    PT_TRY(dir.save(*state));
  }
  return report;
}

}  // namespace powertrace
