// SPDX-License-Identifier: Apache-2.0
//
// Which functions, inlined ones included, an address is in, by DWARF. Each compilation unit is read
// once, when an address first falls into it. Single-threaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include <elfutils/libdwfl.h>

namespace powertrace::report {

class InlinedFunctions {
 public:
  // The module must outlive this.
  explicit InlinedFunctions(Dwfl_Module* module);

  // The innermost first; as long as the module is.
  std::vector<Dwarf_Die> at(Dwarf_Addr address);

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  struct Entry {
    Dwarf_Die die;
    std::size_t parent = kNone;  // what it was inlined into
  };
  // What an address belongs to, from the key up to the next one.
  using Segments = std::map<Dwarf_Addr, std::size_t>;
  struct Unit {
    Dwarf_Die die;
    Dwarf_Addr bias = 0;
    bool read = false;
    std::vector<Entry> entries;
    Segments segments;  // of entries
  };

  static void paint(Segments& segments, Dwarf_Addr begin, Dwarf_Addr end, std::size_t value);
  static void paint(Segments& segments, Dwarf_Die& die, std::size_t value);
  static std::size_t find(const Segments& segments, Dwarf_Addr address);
  static void read(Unit& unit);

  std::vector<Unit> units_;
  Segments segments_;  // of units_, biased
};

}  // namespace powertrace::report
