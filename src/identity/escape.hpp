// SPDX-License-Identifier: Apache-2.0
//
// systemd's way to write names in the cgroup tree.
#pragma once

#include <string>
#include <string_view>

namespace powertrace {

// "\x2d" back to "-"; what is no escape stays as it is.
std::string unescape_unit(std::string_view text);

}  // namespace powertrace
