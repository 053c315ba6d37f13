// SPDX-License-Identifier: Apache-2.0
//
// An energy zone in the vocabulary of the kernel's powercap class. Passive data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace powertrace {

enum class ZoneKind : std::uint8_t { kPackage, kCore, kUncore, kDram, kPsys, kGpu, kPlatform };

std::string_view zone_kind_name(ZoneKind kind);  // "package", "core", ...

struct Zone {
  std::string name;  // unique within a source: "package-0", "package-0-die-1", "dram-0", "psys"
  ZoneKind kind = ZoneKind::kPackage;
  int socket = -1;  // physical package; -1: the whole node
  int die = -1;     // -1: the whole package
  bool in_total =
      false;  // package, dram and gpu; never psys, platform, core, uncore or a duplicate
  bool measured = false;  // false: an estimate, and every output says so
};

// How one zone went in one window. Anything but kOk keeps the zone out of that window's sums.
enum class ZoneStatus : std::uint8_t {
  kOk,
  kFirst,       // no earlier reading to take a difference from
  kAmbiguous,   // more than one wrap was possible since the last reading: not guessed
  kUnreadable,  // EACCES, EIO, ENODATA, ...: see sys_errno
  kGone,        // the zone vanished
};

std::string_view zone_status_name(ZoneStatus status);

// Energy of one zone over one window.
struct ZoneDelta {
  ZoneStatus status = ZoneStatus::kOk;
  int sys_errno = 0;
  std::int64_t energy_nj = 0;     // >= 0; 0 unless status is kOk
  std::uint64_t duration_ns = 0;  // between the two readings of this zone, by its own timestamps
};

}  // namespace powertrace
