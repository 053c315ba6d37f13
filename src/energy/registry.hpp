// SPDX-License-Identifier: Apache-2.0
//
// Which energy sources there are, in order of preference, and opening the first one that works.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/sysroot.hpp"
#include "energy/source.hpp"
#include "energy/synthetic_config.hpp"

namespace powertrace {

// Best first; what `auto` stands for.
std::vector<std::string> known_sources();

// "auto", or an ordered list such as "powercap,synthetic". kUsage lists the known names.
Result<std::vector<std::string>> parse_source_list(std::string_view text);

struct SourceChoice {
  std::unique_ptr<EnergySource> source;
  std::vector<SourceFinding> findings;  // one per name of the list, in its order
};

// Tries every name of the list, keeps the first source that works and says about each why it was
// taken or not. None works: kPermission if a privilege would help, else kUnsupported, with all
// reasons and remedies.
Result<SourceChoice> open_source(const std::vector<std::string>& names,
                                 const SysRoot& root,
                                 const SyntheticConfig& synthetic);

}  // namespace powertrace
