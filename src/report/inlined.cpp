// SPDX-License-Identifier: Apache-2.0
#include "report/inlined.hpp"

#include <iterator>

#include <dwarf.h>
#include <elfutils/libdw.h>

namespace powertrace::report {
namespace {

bool may_hold_functions(int tag) {
  switch (tag) {
    case DW_TAG_subprogram:
    case DW_TAG_inlined_subroutine:
    case DW_TAG_lexical_block:
    case DW_TAG_try_block:
    case DW_TAG_catch_block:
    case DW_TAG_namespace:
    case DW_TAG_module:
    case DW_TAG_structure_type:
    case DW_TAG_class_type:
    case DW_TAG_union_type:
      return true;
    default:
      return false;
  }
}

}  // namespace

InlinedFunctions::InlinedFunctions(Dwfl_Module* module) {
  Dwarf_Addr bias = 0;
  for (Dwarf_Die* unit = nullptr; (unit = dwfl_module_nextcu(module, unit, &bias)) != nullptr;) {
    units_.push_back({*unit, bias, false, {}, {}});
    Dwarf_Addr base = 0;
    Dwarf_Addr begin = 0;
    Dwarf_Addr end = 0;
    for (std::ptrdiff_t at = 0; (at = dwarf_ranges(unit, at, &base, &begin, &end)) > 0;) {
      paint(segments_, begin + bias, end + bias, units_.size() - 1);
    }
  }
}

// What is painted later lies inside of what was painted before.
void InlinedFunctions::paint(Segments& segments,
                             Dwarf_Addr begin,
                             Dwarf_Addr end,
                             std::size_t value) {
  if (begin >= end) {
    return;
  }
  const std::size_t behind = find(segments, end);
  segments.erase(segments.lower_bound(begin), segments.lower_bound(end));
  segments[begin] = value;
  segments.try_emplace(end, behind);
}

void InlinedFunctions::paint(Segments& segments, Dwarf_Die& die, std::size_t value) {
  Dwarf_Addr base = 0;
  Dwarf_Addr begin = 0;
  Dwarf_Addr end = 0;
  for (std::ptrdiff_t at = 0; (at = dwarf_ranges(&die, at, &base, &begin, &end)) > 0;) {
    paint(segments, begin, end, value);
  }
}

std::size_t InlinedFunctions::find(const Segments& segments, Dwarf_Addr address) {
  const auto next = segments.upper_bound(address);
  return next == segments.begin() ? kNone : std::prev(next)->second;
}

void InlinedFunctions::read(Unit& unit) {
  unit.read = true;
  struct Open {
    Dwarf_Die die;
    std::size_t parent = kNone;
  };
  std::vector<Open> open{{unit.die, kNone}};
  while (!open.empty()) {
    Open now = open.back();
    open.pop_back();
    const int tag = dwarf_tag(&now.die);
    if (tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine) {
      // A function that is defined inside of another was not inlined into it.
      const std::size_t parent = tag == DW_TAG_subprogram ? kNone : now.parent;
      now.parent = unit.entries.size();
      unit.entries.push_back({now.die, parent});
      paint(unit.segments, now.die, now.parent);
    }
    Dwarf_Die child;
    if (dwarf_child(&now.die, &child) != 0) {
      continue;
    }
    do {
      if (may_hold_functions(dwarf_tag(&child))) {
        open.push_back({child, now.parent});
      }
    } while (dwarf_siblingof(&child, &child) == 0);
  }
}

std::vector<Dwarf_Die> InlinedFunctions::at(Dwarf_Addr address) {
  std::vector<Dwarf_Die> result;
  const std::size_t found = find(segments_, address);
  if (found == kNone) {
    return result;
  }
  Unit& unit = units_[found];
  if (!unit.read) {
    read(unit);
  }
  for (std::size_t entry = find(unit.segments, address - unit.bias); entry != kNone;
       entry = unit.entries[entry].parent) {
    result.push_back(unit.entries[entry].die);
  }
  return result;
}

}  // namespace powertrace::report
