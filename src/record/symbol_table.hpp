// SPDX-License-Identifier: Apache-2.0
//
// Functions of an ELF file by address. Single-threaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace powertrace::record {

class SymbolTable {
 public:
  // `size` 0: up to the next one, as assembly has them.
  void add(std::uint64_t start, std::uint64_t size, std::string_view name);
  // After the last add().
  void sort();
  // "": there is none.
  [[nodiscard]] std::string_view at(std::uint64_t address) const;
  [[nodiscard]] bool empty() const { return symbols_.empty(); }

 private:
  struct Symbol {
    std::uint64_t start = 0;
    std::uint64_t end = 0;
    std::size_t name = 0;  // in names_
    std::size_t length = 0;
  };
  std::vector<Symbol> symbols_;  // by address
  std::string names_;
};

// What an ELF file itself says: its build id, and the functions of its symbol table, by the place
// of their code in the file. What is no ELF file has neither.
struct ElfFacts {
  std::string build_id;  // raw bytes; empty: none
  SymbolTable functions;
};
// Reads, and does not map: other people may cut the file off meanwhile.
ElfFacts read_elf(int file, bool with_functions);
// A whole ELF file in memory.
ElfFacts read_elf(std::string_view image);

}  // namespace powertrace::record
