// SPDX-License-Identifier: Apache-2.0
//
// vmlinux/vmlinux.h is written by hand: every field in it that the programs use must exist in the
// running kernel with the same size, or CO-RE would read something else than we mean.
#include <cstring>
#include <string>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <doctest/doctest.h>

#include "powertrace/abi.h"
// The skeleton names the types of abi.h.
#include "powertrace.skel.h"

namespace powertrace {
namespace {

// The member of that name, also inside anonymous structs and unions; its type id, or 0.
__u32 find_member(const btf* types, __u32 struct_id, const char* name) {
  const btf_type* type = btf__type_by_id(types, struct_id);
  const btf_member* members = btf_members(type);
  for (int i = 0; i < btf_vlen(type); ++i) {
    const char* found = btf__name_by_offset(types, members[i].name_off);
    if (std::strcmp(found, name) == 0) {
      return members[i].type;
    }
    const int inner = btf__resolve_type(types, members[i].type);
    if (found[0] == '\0' && inner > 0 &&
        btf_is_composite(btf__type_by_id(types, static_cast<__u32>(inner)))) {
      const __u32 id = find_member(types, static_cast<__u32>(inner), name);
      if (id != 0) {
        return id;
      }
    }
  }
  return 0;
}

}  // namespace

TEST_CASE("vmlinux.h: every field is in the running kernel, with the same size") {
  std::size_t size = 0;
  const void* bytes = powertrace_bpf__elf_bytes(&size);
  bpf_object* object = bpf_object__open_mem(bytes, size, nullptr);
  REQUIRE(object != nullptr);
  const btf* ours = bpf_object__btf(object);
  btf* kernel = btf__load_vmlinux_btf();
  REQUIRE(kernel != nullptr);

  int fields = 0;
  const auto count = static_cast<__u32>(btf__type_cnt(ours));
  for (__u32 id = 1; id < count; ++id) {
    const btf_type* type = btf__type_by_id(ours, id);
    const char* name = btf__name_by_offset(ours, type->name_off);
    if (!btf_is_struct(type) || name[0] == '\0' || std::strncmp(name, "pt_", 3) == 0) {
      continue;
    }
    const __s32 kernel_id = btf__find_by_name_kind(kernel, name, BTF_KIND_STRUCT);
    if (kernel_id <= 0) {
      continue;  // a type of this program's own, such as a map definition
    }
    const btf_member* members = btf_members(type);
    for (int i = 0; i < btf_vlen(type); ++i) {
      const char* field = btf__name_by_offset(ours, members[i].name_off);
      CAPTURE(std::string(name) + "." + field);
      const __u32 there = find_member(kernel, static_cast<__u32>(kernel_id), field);
      CHECK(there != 0);
      // Arrays and embedded structs are reached by their own fields.
      const btf_type* mine =
          btf__type_by_id(ours, static_cast<__u32>(btf__resolve_type(ours, members[i].type)));
      if (there != 0 && (btf_is_int(mine) || btf_is_ptr(mine))) {
        CHECK(btf__resolve_size(ours, members[i].type) == btf__resolve_size(kernel, there));
      }
      ++fields;
    }
  }
  CHECK(fields >= 25);
  btf__free(kernel);
  bpf_object__close(object);
}

}  // namespace powertrace
