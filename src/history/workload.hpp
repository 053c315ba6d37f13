// SPDX-License-Identifier: Apache-2.0
//
// Who used energy, as finely as history keeps it, and what it used. Pure data.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace powertrace {

enum class WorkloadKind : std::uint8_t {
  kWorkload,      // one user's processes in one cgroup
  kIdle,          // [idle]
  kKernel,        // [kernel]
  kPowertrace,    // [powertrace]
  kOther,         // [others]: in no pod, container or namespace, where these are asked for
  kUnattributed,  // [unattributed]
};

// "[idle]" and so on; empty for kWorkload.
std::string_view remainder_name(WorkloadKind kind);

// Empty: does not apply, or not known.
struct Workload {
  WorkloadKind kind = WorkloadKind::kWorkload;
  std::string node;
  std::string cgroup;  // path
  std::string user;    // name, else uid
  std::string container_id;
  std::string container;
  std::string pod_uid;
  std::string pod;
  std::string name_space;
  std::string type_label;  // powertrace.io/workload-type
  bool operator==(const Workload&) const = default;
};

// What rows are made of.
enum class Dimension : std::uint8_t {
  kNode,
  kNamespace,
  kPod,
  kContainer,
  kCgroup,
  kUser,
  kWorkload,  // the container if there is one, else the cgroup
};
std::string_view dimension_name(Dimension dimension);
Result<Dimension> parse_dimension(std::string_view text);

// The workload with only what tells groups of this dimension apart; what has no such name becomes
// [others].
Workload group_of(const Workload& workload, Dimension dimension);

// What a person reads and GET /cost/workload/{id} takes: "ns/pod", a container's id, a path, ...
std::string group_id(const Workload& group, Dimension dimension);

// Zones as far as they are added to the total.
enum class EnergyKind : std::uint8_t { kCpu, kDram, kGpu, kOther };
inline constexpr std::size_t kEnergyKinds = 4;
inline constexpr std::array<std::string_view, kEnergyKinds> kEnergyKindNames{"cpu", "dram", "gpu",
                                                                             "other"};

struct Usage {
  std::array<std::int64_t, kEnergyKinds> energy_nj{};
  std::int64_t run_ns = 0;
  std::int64_t cycles = 0;
  std::int64_t instructions = 0;
  std::int64_t switches = 0;
  double cores_squared = 0;  // sum over intervals of (CPU time / time)^2

  [[nodiscard]] std::int64_t total_nj() const {
    return energy_nj[0] + energy_nj[1] + energy_nj[2] + energy_nj[3];
  }
  Usage& operator+=(const Usage& other);
};

}  // namespace powertrace
