// SPDX-License-Identifier: Apache-2.0
#include "serve/labels.hpp"

#include <cstdint>

namespace powertrace {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Length of the UTF-8 sequence at the beginning of `text`; 0: there is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const auto follows = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xC0U) == 0x80U; };
  const std::uint8_t first = byte(0);
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xC2 && first <= 0xDF) {
    return follows(1) ? 2 : 0;
  }
  if (first >= 0xE0 && first <= 0xEF) {
    if (!follows(1) || !follows(2) || (first == 0xE0 && byte(1) < 0xA0) ||
        (first == 0xED && byte(1) > 0x9F)) {
      return 0;  // overlong, or a surrogate
    }
    return 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (!follows(1) || !follows(2) || !follows(3) || (first == 0xF0 && byte(1) < 0x90) ||
        (first == 0xF4 && byte(1) > 0x8F)) {
      return 0;
    }
    return 4;
  }
  return 0;
}

void append_value(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const char first = text.front();
    if (first == '\n') {
      out += "\\n";
    } else if (first == '"' || first == '\\') {
      out += '\\';
      out += first;
    } else if (length == 0 || (first >= 0 && first < 0x20) || first == 0x7F) {
      out += kReplacement;
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
}

std::string_view kepler_runtime(const ContainerIdentity& container) {
  return container.runtime == "cri-o" ? "crio" : std::string_view(container.runtime);
}

std::string_view workload_type(const ContainerIdentity* container, const VmIdentity* vm) {
  return container != nullptr ? "container" : vm != nullptr ? "vm" : "regular";
}

struct Parts {
  const ProcessIdentity* process;
  const ContainerIdentity* container;
  const VmIdentity* vm;
  std::string_view pod_id, pod_name, name_space, owner_kind, owner_name;
  std::string_view container_id, container_name, runtime;
};

Parts parts_of(const WorkloadIdentity& who) {
  Parts parts{who.process.get(), nullptr, who.vm.get(), {}, {}, {}, {}, {}, {}, {}, {}};
  if (who.cgroup && who.cgroup->container) {
    parts.container = &*who.cgroup->container;
    parts.container_id = parts.container->id;
    parts.container_name = parts.container->name;
    parts.runtime = parts.container->runtime;
    parts.pod_id = parts.container->pod_uid;
  }
  if (const PodIdentity* pod = pod_of(who)) {
    parts.pod_name = pod->name;
    parts.name_space = pod->name_space;
    parts.owner_kind = pod->owner_kind;
    parts.owner_name = pod->owner_name;
  }
  return parts;
}

WorkloadLabels container_labels(const Parts& parts, std::string_view node) {
  return {label_list({{"container_id", parts.container_id},
                      {"container_name", parts.container_name},
                      {"runtime", parts.runtime},
                      {"pod_id", parts.pod_id},
                      {"pod_name", parts.pod_name},
                      {"pod_namespace", parts.name_space},
                      {"owner_kind", parts.owner_kind},
                      {"owner_name", parts.owner_name}}),
          label_list({{"container_id", parts.container_id},
                      {"container_name", parts.container_name},
                      {"node_name", node},
                      {"pod_id", parts.pod_id},
                      {"runtime", kepler_runtime(*parts.container)}}),
          label_list({{"container_id", parts.container_id},
                      {"container_name", parts.container_name},
                      {"container_namespace", parts.name_space},
                      {"pod_name", parts.pod_name}})};
}

WorkloadLabels process_labels(const Parts& parts,
                              const CgroupIdentity* cgroup,
                              std::string_view node) {
  const std::string pid = std::to_string(parts.process->task.pid);
  const std::string_view vm_id = parts.vm != nullptr ? std::string_view(parts.vm->id) : "";
  // Kepler <= 0.9 has no process outside a container.
  const std::string_view old_container =
      parts.container != nullptr ? parts.container_id : "system_processes";
  return {label_list({{"pid", pid},
                      {"comm", parts.process->comm},
                      {"exe", parts.process->exe},
                      {"cgroup", cgroup != nullptr ? std::string_view(cgroup->path) : ""},
                      {"container_id", parts.container_id},
                      {"pod_id", parts.pod_id},
                      {"vm_id", vm_id}}),
          label_list({{"comm", parts.process->comm},
                      {"container_id", parts.container_id},
                      {"exe", parts.process->exe},
                      {"node_name", node},
                      {"pid", pid},
                      {"type", workload_type(parts.container, parts.vm)},
                      {"vm_id", vm_id}}),
          label_list({{"command", parts.process->comm},
                      {"container_id", old_container},
                      {"pid", pid},
                      {"vm_id", vm_id}})};
}

}  // namespace

std::string clean_text(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const char first = text.front();
    const bool control = (first >= 0 && first < 0x20 && first != '\n') || first == 0x7F;
    clean += length == 0 || control ? kReplacement : text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return clean;
}

std::string label_list(
    std::initializer_list<std::pair<std::string_view, std::string_view>> labels) {
  std::string list;
  for (const auto& [name, value] : labels) {
    list += list.empty() ? "" : ",";
    list += name;
    list += "=\"";
    append_value(list, value);
    list += '"';
  }
  return list;
}

const PodIdentity* pod_of(const WorkloadIdentity& who) {
  return who.cgroup && who.cgroup->container ? who.cgroup->container->pod.get() : nullptr;
}

WorkloadLabels workload_labels(AccountLevel level,
                               const WorkloadIdentity& who,
                               std::string_view node_name) {
  const Parts parts = parts_of(who);
  switch (level) {
    case AccountLevel::kCgroup:
      return {label_list({{"cgroup", who.cgroup->path}}), "", ""};
    case AccountLevel::kContainer:
      return container_labels(parts, node_name);
    case AccountLevel::kPod:
      return {label_list({{"pod_id", parts.pod_id},
                          {"pod_name", parts.pod_name},
                          {"pod_namespace", parts.name_space},
                          {"owner_kind", parts.owner_kind},
                          {"owner_name", parts.owner_name}}),
              label_list({{"node_name", node_name},
                          {"pod_id", parts.pod_id},
                          {"pod_name", parts.pod_name},
                          {"pod_namespace", parts.name_space}}),
              ""};
    case AccountLevel::kVm:
      return {label_list({{"vm_id", parts.vm->id},
                          {"vm_name", parts.vm->name},
                          {"hypervisor", parts.vm->hypervisor}}),
              label_list({{"hypervisor", parts.vm->hypervisor},
                          {"node_name", node_name},
                          {"vm_id", parts.vm->id},
                          {"vm_name", parts.vm->name}}),
              label_list({{"vm_id", parts.vm->id}})};
    case AccountLevel::kProcess:
      return process_labels(parts, who.cgroup.get(), node_name);
  }
  return {};
}

WorkloadLabels remainder_labels(AccountLevel level,
                                std::string_view name,
                                std::string_view node_name) {
  // Kepler <= 0.9 knows two of them, by other names.
  const bool kernel = name == "[kernel]";
  const std::string_view old_name = kernel ? "kernel_processes" : "system_processes";
  switch (level) {
    case AccountLevel::kCgroup:
      return {label_list({{"cgroup", name}}), "", ""};
    case AccountLevel::kContainer:
      return {
          label_list({{"container_id", name}, {"container_name", name}}),
          label_list({{"container_id", name}, {"container_name", name}, {"node_name", node_name}}),
          label_list({{"container_id", old_name},
                      {"container_name", old_name},
                      {"container_namespace", kernel ? "kernel" : "system"},
                      {"pod_name", old_name}})};
    case AccountLevel::kPod:
      return {label_list({{"pod_id", name}, {"pod_name", name}}),
              label_list({{"node_name", node_name}, {"pod_id", name}, {"pod_name", name}}), ""};
    case AccountLevel::kVm:
      return {label_list({{"vm_id", name}, {"vm_name", name}}),
              label_list({{"node_name", node_name}, {"vm_id", name}, {"vm_name", name}}),
              label_list({{"vm_id", name}})};
    case AccountLevel::kProcess:
      return {label_list({{"comm", name}}),
              label_list({{"comm", name}, {"node_name", node_name}, {"type", "regular"}}),
              label_list({{"command", name}, {"container_id", old_name}})};
  }
  return {};
}

}  // namespace powertrace
