// SPDX-License-Identifier: Apache-2.0
#include "history/workload.hpp"

#include "base/choice.hpp"

namespace powertrace {
namespace {

constexpr std::array<Choice<Dimension>, 7> kDimensions{{{"node", Dimension::kNode},
                                                        {"namespace", Dimension::kNamespace},
                                                        {"pod", Dimension::kPod},
                                                        {"container", Dimension::kContainer},
                                                        {"cgroup", Dimension::kCgroup},
                                                        {"user", Dimension::kUser},
                                                        {"workload", Dimension::kWorkload}}};

}  // namespace

std::string_view remainder_name(WorkloadKind kind) {
  switch (kind) {
    case WorkloadKind::kIdle:
      return "[idle]";
    case WorkloadKind::kKernel:
      return "[kernel]";
    case WorkloadKind::kPowertrace:
      return "[powertrace]";
    case WorkloadKind::kOther:
      return "[others]";
    case WorkloadKind::kUnattributed:
      return "[unattributed]";
    case WorkloadKind::kWorkload:
      break;
  }
  return "";
}

std::string_view dimension_name(Dimension dimension) {
  return choice_name(kDimensions, dimension);
}
Result<Dimension> parse_dimension(std::string_view text) {
  return parse_choice("something to group by", text, kDimensions);
}

Workload group_of(const Workload& from, Dimension dimension) {
  Workload to;
  to.node = from.node;
  if (dimension == Dimension::kNode) {
    return to;
  }
  to.node.clear();
  to.kind = from.kind;
  if (from.kind != WorkloadKind::kWorkload) {
    return to;
  }
  bool known = true;
  if (dimension == Dimension::kNamespace) {
    to.name_space = from.name_space;
    known = !from.name_space.empty();
  } else if (dimension == Dimension::kPod) {
    to.pod_uid = from.pod_uid;
    to.pod = from.pod;
    to.name_space = from.name_space;
    known = !from.pod_uid.empty() || !from.pod.empty();
  } else if (dimension == Dimension::kUser) {
    to.user = from.user;
    known = !from.user.empty();
  } else if (dimension == Dimension::kCgroup ||
             (dimension == Dimension::kWorkload && from.container_id.empty() && from.pod.empty())) {
    to.node = from.node;
    to.cgroup = from.cgroup;
    known = !from.cgroup.empty();
  } else {
    to = from;
    to.user.clear();
    to.cgroup.clear();
    known = !from.container_id.empty() || !from.container.empty() || !from.pod.empty();
  }
  if (!known) {
    to = Workload{};
    to.kind = WorkloadKind::kOther;
  }
  return to;
}

std::string group_id(const Workload& group, Dimension dimension) {
  if (dimension == Dimension::kNode) {
    return group.node;
  }
  if (group.kind != WorkloadKind::kWorkload) {
    return std::string(remainder_name(group.kind));
  }
  std::string pod = group.pod.empty() ? group.pod_uid : group.name_space + "/" + group.pod;
  switch (dimension) {
    case Dimension::kNamespace:
      return group.name_space;
    case Dimension::kPod:
      return pod;
    case Dimension::kUser:
      return group.user;
    case Dimension::kCgroup:
      return group.cgroup;
    case Dimension::kContainer:
    case Dimension::kWorkload:
    case Dimension::kNode:
      break;
  }
  if (!group.container_id.empty()) {
    return group.container_id;
  }
  return !group.cgroup.empty()     ? group.cgroup
         : group.container.empty() ? pod
                                   : pod + "/" + group.container;
}

Usage& Usage::operator+=(const Usage& other) {
  for (std::size_t i = 0; i < kEnergyKinds; ++i) {
    energy_nj[i] += other.energy_nj[i];
  }
  run_ns += other.run_ns;
  cycles += other.cycles;
  instructions += other.instructions;
  switches += other.switches;
  cores_squared += other.cores_squared;
  return *this;
}

}  // namespace powertrace
