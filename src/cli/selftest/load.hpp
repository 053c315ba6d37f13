// SPDX-License-Identifier: Apache-2.0
//
// What the self-test measures: work whose CPU time the kernel tells exactly. It runs as a process
// of its own, this program with `selftest --load NAME`.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.hpp"

namespace powertrace {

// The name of a load and of the processes and threads that it starts.
inline constexpr char kLoadComm[] = "pt-load";

// `time_ns` is CPU time: of each thread for "threads", of all processes for "forks"; for "storm"
// and "fifo" it is time that passes. The exit code: kExitOk, or kExitMissing if it is not
// permitted.
Result<int> run_load(std::string_view name, std::uint64_t time_ns);

}  // namespace powertrace
