// SPDX-License-Identifier: Apache-2.0
//
// Exit codes: a contract with scripts.
#pragma once

#include "base/result.hpp"

namespace powertrace {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;   // the job failed
inline constexpr int kExitUsage = 2;    // wrong usage or configuration
inline constexpr int kExitMissing = 3;  // a privilege or kernel feature is missing
inline constexpr int kExitInterrupted = 130;

inline int exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage:
      return kExitUsage;
    case ErrorCode::kPermission:
    case ErrorCode::kUnsupported:
      return kExitMissing;
    default:
      return kExitFailed;
  }
}

}  // namespace powertrace
