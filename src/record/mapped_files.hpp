// SPDX-License-Identifier: Apache-2.0
//
// The files that running code was mapped from, as their processes see them: build ids, and the
// names of functions where the file will not be found again by its path (in a container, deleted,
// the kernel's own). Loop thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/sysroot.hpp"
#include "record/symbol_table.hpp"

namespace powertrace::record {

struct MappedFile {
  std::string build_id;                          // raw bytes; empty: none
  std::shared_ptr<const SymbolTable> functions;  // null: to be looked up in the file later
};

class MappedFiles {
 public:
  explicit MappedFiles(const SysRoot& root) : root_(root) {}

  struct Place {
    std::uint32_t tgid = 0;
    std::uint64_t start = 0;  // of the mapping
    std::uint64_t end = 0;
    std::string path;   // as the process sees it
    std::string inode;  // device and number
  };
  const MappedFile& find(const Place& place);
  // [vdso]: the same for all processes.
  const MappedFile& vdso();

 private:
  [[nodiscard]] MappedFile read(const Place& place) const;

  SysRoot root_;
  std::unordered_map<std::string, MappedFile> known_;  // by inode and path
  std::unique_ptr<MappedFile> vdso_;
};

}  // namespace powertrace::record
