// SPDX-License-Identifier: Apache-2.0
#include "market/areas.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace powertrace {
namespace {

constexpr std::array kAreas{
    Area{"AT", "Europe/Vienna", "10YAT-APG------L"},
    Area{"BE", "Europe/Brussels", "10YBE----------2"},
    Area{"BG", "Europe/Sofia", "10YCA-BULGARIA-R"},
    Area{"CH", "Europe/Zurich", "10YCH-SWISSGRIDZ"},
    Area{"CZ", "Europe/Prague", "10YCZ-CEPS-----N"},
    Area{"DE", "Europe/Berlin", ""},
    Area{"DE-LU", "Europe/Berlin", "10Y1001A1001A82H"},
    Area{"DK1", "Europe/Copenhagen", "10YDK-1--------W"},
    Area{"DK2", "Europe/Copenhagen", "10YDK-2--------M"},
    Area{"EE", "Europe/Tallinn", "10Y1001A1001A39I"},
    Area{"ES", "Europe/Madrid", "10YES-REE------0"},
    Area{"FI", "Europe/Helsinki", "10YFI-1--------U"},
    Area{"FR", "Europe/Paris", "10YFR-RTE------C"},
    Area{"GB", "Europe/London", "10YGB----------A"},
    Area{"GR", "Europe/Athens", "10YGR-HTSO-----Y"},
    Area{"HR", "Europe/Zagreb", "10YHR-HEP------M"},
    Area{"HU", "Europe/Budapest", "10YHU-MAVIR----U"},
    Area{"IT-North", "Europe/Rome", "10Y1001A1001A73I"},
    Area{"LT", "Europe/Vilnius", "10YLT-1001A0008Q"},
    Area{"LV", "Europe/Riga", "10YLV-1001A00074"},
    Area{"NL", "Europe/Amsterdam", "10YNL----------L"},
    Area{"NO1", "Europe/Oslo", "10YNO-1--------2"},
    Area{"NO2", "Europe/Oslo", "10YNO-2--------T"},
    Area{"NO3", "Europe/Oslo", "10YNO-3--------J"},
    Area{"NO4", "Europe/Oslo", "10YNO-4--------9"},
    Area{"NO5", "Europe/Oslo", "10Y1001A1001A48H"},
    Area{"PL", "Europe/Warsaw", "10YPL-AREA-----S"},
    Area{"PT", "Europe/Lisbon", "10YPT-REN------W"},
    Area{"RO", "Europe/Bucharest", "10YRO-TEL------P"},
    Area{"SE1", "Europe/Stockholm", "10Y1001A1001A44P"},
    Area{"SE2", "Europe/Stockholm", "10Y1001A1001A45N"},
    Area{"SE3", "Europe/Stockholm", "10Y1001A1001A46L"},
    Area{"SE4", "Europe/Stockholm", "10Y1001A1001A47J"},
    Area{"SI", "Europe/Ljubljana", "10YSI-ELES-----O"},
    Area{"SK", "Europe/Bratislava", "10YSK-SEPS-----K"},
};

}  // namespace

std::span<const Area> areas() {
  return kAreas;
}

const Area* find_area(std::string_view name) {
  const auto* const found = std::find_if(kAreas.begin(), kAreas.end(),
                                         [name](const Area& area) { return area.name == name; });
  return found == kAreas.end() ? nullptr : found;
}

Result<Area> require_area(std::string_view name) {
  if (const Area* area = find_area(name)) {
    return *area;
  }
  std::string names;
  for (const Area& area : kAreas) {
    names += (names.empty() ? "" : " ") + std::string(area.name);
  }
  return fail(ErrorCode::kUsage, "the area \"{}\" is unknown; known are {}", name.substr(0, 40),
              names);
}

}  // namespace powertrace
