// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace powertrace::test {

inline constexpr std::uint64_t kSecond = 1'000'000'000;  // ns

}  // namespace powertrace::test
