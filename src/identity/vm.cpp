// SPDX-License-Identifier: Apache-2.0
#include "identity/vm.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/text.hpp"
#include "identity/escape.hpp"

namespace powertrace {
namespace {

// "guest=a,debug-threads=on", "a,process=b" or "a"; a comma in the name is written twice.
std::string parse_name(std::string_view value) {
  std::string name;
  for (bool first = true; !value.empty(); first = false) {
    std::string part;
    for (;;) {
      part += take_until(value, ',');
      if (!value.starts_with(',')) {
        break;
      }
      value.remove_prefix(1);
      part += ',';
    }
    if (part.starts_with("guest=")) {
      return part.substr(6);
    }
    if (first && part.find('=') == std::string::npos) {
      name = std::move(part);
    }
  }
  return name;
}

// "qemu-1-guest": the driver, the number of the machine since libvirtd started, its name.
std::optional<VmIdentity> parse_machine(std::string_view machine) {
  if (take_until(machine, '-') != "qemu") {
    return std::nullopt;
  }
  const std::string_view number = take_until(machine, '-');
  const bool digits = !number.empty() && std::all_of(number.begin(), number.end(),
                                                     [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || machine.empty()) {
    return std::nullopt;
  }
  return VmIdentity{std::string(machine), std::string(machine), "kvm"};
}

std::string_view without(std::string_view text, std::string_view prefix, std::string_view suffix) {
  if (text.size() < prefix.size() + suffix.size() || !text.starts_with(prefix) ||
      !text.ends_with(suffix)) {
    return {};
  }
  text.remove_prefix(prefix.size());
  text.remove_suffix(suffix.size());
  return text;
}

}  // namespace

bool is_vm_program(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  return name.starts_with("qemu-system-") || name == "qemu-kvm" || name == "kvm";
}

std::optional<VmIdentity> parse_vm_arguments(std::string_view arguments) {
  const std::string_view program = take_until(arguments, '\0');
  if (!is_vm_program(program)) {
    return std::nullopt;
  }
  VmIdentity vm;
  vm.hypervisor = program.ends_with("kvm") ? "kvm" : "qemu";
  while (!arguments.empty()) {
    std::string_view option = take_until(arguments, '\0');
    if (!option.starts_with('-')) {
      vm.hypervisor = option.find("accel=kvm") != std::string_view::npos ? "kvm" : vm.hypervisor;
      continue;
    }
    option.remove_prefix(option.starts_with("--") ? 2 : 1);
    if (option == "enable-kvm" ||
        (option == "accel" && take_until(arguments, '\0').starts_with("kvm"))) {
      vm.hypervisor = "kvm";
    } else if (option == "xen-domid") {
      vm.hypervisor = "xen";
    } else if (option == "uuid") {
      vm.id = take_until(arguments, '\0');
    } else if (option == "name") {
      vm.name = parse_name(take_until(arguments, '\0'));
    }
  }
  vm.id = vm.id.empty() ? vm.name : vm.id;
  return vm;
}

std::optional<VmIdentity> parse_vm_scope(std::string_view cgroup_path) {
  while (!cgroup_path.empty()) {
    const std::string_view segment = take_until(cgroup_path, '/');
    const std::string_view scope = without(segment, "machine-", ".scope");
    if (auto vm = parse_machine(scope.empty() ? without(segment, "", ".libvirt-qemu")
                                              : std::string_view(unescape_unit(scope)))) {
      return vm;
    }
  }
  return std::nullopt;
}

}  // namespace powertrace
