// SPDX-License-Identifier: Apache-2.0
#include "model/zone.hpp"

#include <array>

#include "base/choice.hpp"

namespace powertrace {
namespace {

constexpr std::array<Choice<ZoneKind>, 7> kKinds{{{"package", ZoneKind::kPackage},
                                                  {"core", ZoneKind::kCore},
                                                  {"uncore", ZoneKind::kUncore},
                                                  {"dram", ZoneKind::kDram},
                                                  {"psys", ZoneKind::kPsys},
                                                  {"gpu", ZoneKind::kGpu},
                                                  {"platform", ZoneKind::kPlatform}}};

constexpr std::array<Choice<ZoneStatus>, 5> kStatuses{{{"ok", ZoneStatus::kOk},
                                                       {"first", ZoneStatus::kFirst},
                                                       {"ambiguous", ZoneStatus::kAmbiguous},
                                                       {"unreadable", ZoneStatus::kUnreadable},
                                                       {"gone", ZoneStatus::kGone}}};

}  // namespace

std::string_view zone_kind_name(ZoneKind kind) {
  return choice_name(kKinds, kind);
}

std::string_view zone_status_name(ZoneStatus status) {
  return choice_name(kStatuses, status);
}

}  // namespace powertrace
