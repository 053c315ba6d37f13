// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace powertrace::test {

// A clock that stands where the test has put it. ns
inline std::uint64_t test_now_ns = 0;
inline std::uint64_t test_clock() {
  return test_now_ns;
}

}  // namespace powertrace::test
