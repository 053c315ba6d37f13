// SPDX-License-Identifier: Apache-2.0
//
// From addresses to places in files, while the processes live: mappings from /proc/PID/maps, build
// ids from the files, names of the kernel's functions from kallsyms. Loop thread only.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/sysroot.hpp"
#include "powertrace/sampling.h"
#include "record/content.hpp"
#include "record/jit_names.hpp"
#include "record/mapped_files.hpp"
#include "record/stack_dictionary.hpp"

namespace powertrace::record {

// Functions of the running kernel by address.
class KernelSymbols {
 public:
  explicit KernelSymbols(const SysRoot& root);
  // "" if it is not known: kallsyms may be hidden (kernel.kptr_restrict).
  [[nodiscard]] std::string_view name(std::uint64_t address) const;

 private:
  std::map<std::uint64_t, std::string> by_address_;
};

class CodeMap {
 public:
  explicit CodeMap(const SysRoot& root) : root_(root), kernel_(root), files_(root), jits_(root) {}

  // The stack as frames of `dictionary`, leaf first: kernel, then user.
  Id stack(const pt_sample& sample, StackDictionary& dictionary);
  // Ids of the dictionary begin again.
  void forget_ids();

 private:
  struct Mapping {
    std::uint64_t start = 0;
    std::uint64_t end = 0;
    std::uint64_t offset = 0;
    bool code = false;  // only then is there more
    CodeFile file;
    std::shared_ptr<const SymbolTable> functions;  // null: looked up later
    Id id = kNoId;
  };
  // Mappings change; they are read again where an address fits none, but rarely if that never
  // helps: without frame pointers, most addresses are none.
  struct Space {
    std::uint64_t read_ns = 0;
    std::uint64_t wait_ns = 0;  // before they are read again
    std::uint64_t used_ns = 0;
    std::vector<Mapping> mappings;  // by address
  };

  // Null: no code. `leaf`: there is code for sure.
  Mapping* find(const pt_sample& sample, std::uint64_t address, bool leaf);
  static bool may_have_changed(const Space& space,
                               const Mapping* found,
                               std::uint64_t address,
                               bool leaf,
                               std::uint64_t now_ns);
  void read_maps(std::uint32_t tgid, Space& space);
  Id user_frame(const pt_sample& sample,
                std::uint64_t address,
                Mapping* mapping,
                StackDictionary& dictionary);
  Id kernel_frame(std::uint64_t address, StackDictionary& dictionary);

  SysRoot root_;
  KernelSymbols kernel_;
  std::unordered_map<std::uint64_t, Space> spaces_;  // by pt_sample::space
  MappedFiles files_;
  JitNames jits_;
};

}  // namespace powertrace::record
