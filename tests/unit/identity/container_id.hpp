// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace powertrace {

inline const std::string kId = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

}  // namespace powertrace
