// SPDX-License-Identifier: Apache-2.0
#include "identity/vm.hpp"

#include <initializer_list>
#include <string>

#include <doctest/doctest.h>

#include "identity/proc_reader.hpp"
#include "unit/identity/fake_proc.hpp"

namespace powertrace {
namespace {

std::string arguments(std::initializer_list<const char*> list) {
  std::string joined;
  for (const char* argument : list) {
    joined += argument;
    joined += '\0';
  }
  return joined;
}

}  // namespace

TEST_CASE("vm: qemu's arguments tell UUID, name and hypervisor") {
  struct Case {
    std::string arguments;
    const char* id;
    const char* name;
    const char* hypervisor;
  };
  for (const Case& expected :
       {Case{arguments({"/usr/bin/qemu-system-x86_64", "-name", "guest=web,debug-threads=on", "-S",
                        "-machine", "pc,accel=kvm", "-uuid",
                        "c7a5fdbd-edaf-9455-926a-d65c16db1809"}),
             "c7a5fdbd-edaf-9455-926a-d65c16db1809", "web", "kvm"},
        Case{arguments({"qemu-system-aarch64", "-name", "a,,b,process=x"}), "a,b", "a,b", "qemu"},
        Case{arguments({"/usr/libexec/qemu-kvm", "--name", "db"}), "db", "db", "kvm"},
        Case{arguments({"qemu-system-i386", "-xen-domid", "7", "-name", "dom"}), "dom", "dom",
             "xen"},
        Case{arguments({"qemu-system-x86_64", "-accel", "kvm,thread=multi"}), "", "", "kvm"},
        Case{arguments({"kvm", "-name"}), "", "", "kvm"}}) {
    CAPTURE(expected.arguments);
    const auto vm = parse_vm_arguments(expected.arguments);
    REQUIRE(vm);
    CHECK(vm->id == expected.id);
    CHECK(vm->name == expected.name);
    CHECK(vm->hypervisor == expected.hypervisor);
  }
}

TEST_CASE("vm: what only mentions qemu is no machine") {
  for (const std::string& other : {arguments({"sh", "-c", "/usr/bin/qemu-system-x86_64 -name x"}),
                                   arguments({"grep", "qemu-system-x86_64"}), std::string(),
                                   arguments({"/usr/bin/kvmtool"})}) {
    CHECK_FALSE(parse_vm_arguments(other));
  }
}

TEST_CASE("vm: libvirt's scopes name the machine") {
  struct Case {
    const char* path;
    const char* name;
  };
  for (const Case& expected :
       {Case{"/machine.slice/machine-qemu\\x2d12\\x2dweb\\x2d1.scope/libvirt/vcpu0", "web-1"},
        Case{"/machine.slice/machine-qemu\\x2d1\\x2ddb.scope", "db"},
        Case{"/machine/qemu-3-old.libvirt-qemu/emulator", "old"}}) {
    const auto vm = parse_vm_scope(expected.path);
    REQUIRE(vm);
    CHECK(vm->name == expected.name);
    CHECK(vm->id == vm->name);
  }
  for (const char* other : {"/machine.slice/machine-lxc\\x2d1\\x2da.scope", "/user.slice",
                            "/machine.slice/machine-qemu\\x2dx\\x2da.scope", "/", "",
                            "/machine.slice/machine-qemu\\x2d1\\x2d.scope"}) {
    CAPTURE(other);
    CHECK_FALSE(parse_vm_scope(other));
  }
}

TEST_CASE("vm: the UUID may come after kilobytes of other arguments") {
  const test::TempDir dir;
  test::FakeProcess process;
  process.pid = 77;
  process.comm = "qemu-system-x86";
  process.cmdline = arguments({"/usr/bin/qemu-system-x86_64", "-object"}) + std::string(8000, 'x') +
                    '\0' + arguments({"-uuid", "4711"});
  process.write(dir);
  const auto record = ProcReader(SysRoot{"", dir.path()}).read(77);
  REQUIRE(record);
  CHECK(record->cmdline.size() <= ProcReader::kMaxCmdline);
  REQUIRE(record->vm);
  CHECK(record->vm->id == "4711");
}

}  // namespace powertrace
