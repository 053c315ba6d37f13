// SPDX-License-Identifier: Apache-2.0
//
// What a check of this machine found, for people and for scripts. Passive data.
#pragma once

#include <cstdint>
#include <string>

namespace powertrace {

enum class FindingStatus : std::uint8_t {
  kOk,
  kLimited,  // works, with a consequence
  kMissing,  // powertrace cannot work like this
};

struct Finding {
  std::string id;  // stable, for scripts: "kernel.btf"
  FindingStatus status = FindingStatus::kOk;
  std::string what;    // the state: "kernel 6.1.0"
  std::string why;     // what follows from it; may be empty if all is well
  std::string remedy;  // what to do; empty if all is well
};

}  // namespace powertrace
