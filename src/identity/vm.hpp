// SPDX-License-Identifier: Apache-2.0
//
// Virtual machines on this node, by what qemu was told and by the scope libvirt put it in. Pure;
// any bytes are fine.
#pragma once

#include <optional>
#include <string_view>

#include "model/identity.hpp"

namespace powertrace {

// Whether a program or its first argument is qemu, by its name.
bool is_vm_program(std::string_view path);

// From the arguments as /proc/PID/cmdline has them, separated by NUL. Nothing if it is not qemu.
// The id is the UUID, else the name, else empty.
std::optional<VmIdentity> parse_vm_arguments(std::string_view arguments);

// "/machine.slice/machine-qemu\x2d1\x2dguest.scope/libvirt/vcpu0", or without systemd
// "/machine/qemu-1-guest.libvirt-qemu". The id is the name: only the arguments tell the UUID.
std::optional<VmIdentity> parse_vm_scope(std::string_view cgroup_path);

}  // namespace powertrace
